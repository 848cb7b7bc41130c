#!/bin/sh
# Merge a newer version of the template into the project: sh ./scripts/update.sh. See --help.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# exec ends the shell: it would otherwise read the rest of this file after the update has changed it.
exec sh "$here/native/python.sh" "$here/project/update.py" "$@"
