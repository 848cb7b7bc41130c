#!/bin/sh
# Remove a resource with its table, tests, views and texts: sh ./scripts/remove-resource.sh item. See --help.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
exec sh "$here/native/python.sh" "$here/resource/main.py" remove "$@"
