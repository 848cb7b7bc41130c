#!/bin/sh
# Runs the tests in a separate stack of the production images, and removes the stack. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=compose.sh
. ./scripts/compose.sh

export TAG="${TAG:-test}"
project=$(project test)
stack() { compose --project-name "$project" --file docker-stack.yml "$@"; }

# docker-stack.yml contains secrets: only its owner may read it.
rm -f docker-stack.yml
umask 077
compose --project-name "$project" -f docker-compose.yml -f docker-compose.test.yml config >docker-stack.yml
# Remove the stack of an interrupted run.
stack down --volumes --remove-orphans
trap 'stack down --volumes --remove-orphans' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
stack build
stack up --detach --wait
stack exec -T backend /app/tests-start.sh "$@"
