#!/bin/sh
# Check types, style, layers, shell scripts and generated files.
set -e
cd "$(dirname "$0")/.."

ruff check
ruff format --check
mypy
lint-imports
shellcheck -x ../../scripts/*.sh ./*.sh scripts/*.sh
python scripts/build_email_templates.py --check
