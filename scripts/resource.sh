#!/bin/sh
# Generate a resource, or add fields to one: sh ./scripts/resource.sh project name:str:255:required. See --help.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
exec sh "$here/native/python.sh" "$here/resource/main.py" generate "$@"
