#!/bin/sh
# Builds the production images: TAG=prod sh ./scripts/build.sh. Arguments go to "docker compose build".
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=compose.sh
. ./scripts/compose.sh

: "${TAG:?is not set: set it to the tag of the images, for example TAG=prod}"

compose -f docker-compose.yml build "$@"
