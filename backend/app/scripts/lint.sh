#!/bin/sh
# Check style, types, layers, shell scripts, Dockerfiles and pipelines, and that generated files are up to date.
set -e
cd "$(dirname "$0")/.."

ruff check . ../../scripts
ruff format --check . ../../scripts
mypy
for folder in native resource project containers; do
  # With one cache, mypy checks the modules that they share once.
  (cd "../../scripts/$folder" && MYPY_CACHE_DIR=../.mypy_cache mypy)
done
(cd ../../scripts/faults && mypy)
lint-imports --no-logo
shellcheck -x --source-path=SCRIPTDIR ../../.ci/run ../../scripts/*.sh ../../scripts/native/*.sh ../*.sh ./*.sh scripts/*.sh
hadolint ../backend.dockerfile ../celeryworker.dockerfile ../../frontend/Dockerfile
check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci ../../.gitlab-ci.yml
check-jsonschema --builtin-schema vendor.github-workflows ../../.github/workflows/*.yml
check-jsonschema --builtin-schema vendor.renovate ../../renovate.json
sh ../../scripts/audit.sh check
sh ../../scripts/check-compose.sh
sh ../../scripts/check-words.sh
python scripts/build_email_templates.py --check
python scripts/export_openapi.py --check
