#!/bin/sh
# Name the project, and make its secrets: sh ./scripts/setup.sh. See --help.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
exec sh "$here/native/python.sh" "$here/project/setup.py" "$@"
