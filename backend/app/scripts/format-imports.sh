#!/bin/sh
# Sort the imports, then run format.sh.
set -e
cd "$(dirname "$0")/.."

ruff check --select I --fix . ../../scripts "$@"
exec sh ./scripts/format.sh "$@"
