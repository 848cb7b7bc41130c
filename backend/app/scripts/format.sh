#!/bin/sh
# Lay the code out, then fix what ruff can fix. What it can't is listed.
set -e
cd "$(dirname "$0")/.."

ruff format . ../../scripts "$@"
ruff check --fix . ../../scripts "$@"
# A fix may leave a line to lay out again.
ruff format --quiet . ../../scripts "$@"
