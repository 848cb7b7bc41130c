#!/bin/sh
# Sort the imports, then do what format.sh does.
set -e
cd "$(dirname "$0")/.."

ruff check --select I --fix . ../../scripts "$@"
exec sh ./scripts/format.sh "$@"
