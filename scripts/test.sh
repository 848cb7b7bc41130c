#!/bin/sh
# Test the production images in a stack of their own, which is gone afterwards. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=compose.sh
. ./scripts/compose.sh

export TAG="${TAG:-test}"
project=$(project test)
stack() { compose --project-name "$project" --file docker-stack.yml "$@"; }

# It has the secrets: for its owner alone.
rm -f docker-stack.yml
umask 077
compose --project-name "$project" -f docker-compose.yml -f docker-compose.test.yml config >docker-stack.yml
# What a killed run may have left.
stack down --volumes --remove-orphans
trap 'stack down --volumes --remove-orphans' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
stack build
stack up --detach --wait
stack exec -T backend /app/tests-start.sh "$@"
