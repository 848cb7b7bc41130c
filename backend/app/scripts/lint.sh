#!/bin/sh
# Check style, types, layers, shell scripts, and that generated files are up to date.
set -e
cd "$(dirname "$0")/.."

ruff check . ../../scripts
ruff format --check . ../../scripts
mypy
(cd ../../scripts/native && mypy)
lint-imports --no-logo
shellcheck -x ../../.ci/run ../../scripts/*.sh ./*.sh scripts/*.sh
python scripts/build_email_templates.py --check
python scripts/check_poetry_requirements.py
python scripts/export_openapi.py --check
