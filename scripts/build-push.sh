#!/bin/sh
# Builds and pushes the production images: TAG=prod sh ./scripts/build-push.sh
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=compose.sh
. ./scripts/compose.sh

sh ./scripts/build.sh "$@"
compose -f docker-compose.yml push backend celeryworker frontend
