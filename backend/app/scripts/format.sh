#!/bin/sh
# Format the code, fix what ruff can fix, and list the rest.
set -e
cd "$(dirname "$0")/.."

ruff format . ../../scripts "$@"
ruff check --fix . ../../scripts "$@"
# A fix may leave a line that needs formatting.
ruff format --quiet . ../../scripts "$@"
