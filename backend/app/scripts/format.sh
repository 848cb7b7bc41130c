#!/bin/sh
# Mend what can be mended, and lay the code out.
set -e
cd "$(dirname "$0")/.."

ruff check --fix . ../../scripts "$@"
ruff format . ../../scripts "$@"
