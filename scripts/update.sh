#!/bin/sh
# Merge a newer version of the template into the project: sh ./scripts/update.sh. See --help.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# exec, because the update changes this file, which the shell would read further.
exec sh "$here/native/python.sh" "$here/project/update.py" "$@"
