#!/bin/sh
# The stack without Docker: sh ./scripts/native.sh up. See --help.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)/native
exec sh "$here/python.sh" "$here/main.py" "$@"
