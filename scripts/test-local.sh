#!/bin/sh
# Starts a separate stack with your code mounted, and tests it. The stack keeps running. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=compose.sh
. ./scripts/compose.sh

# Use a separate tag, so that the images of the development stack are kept.
export TAG="${TAG:-test-local}"
project=$(project test-local)
stack() {
  compose --project-name "$project" \
    -f docker-compose.yml -f docker-compose.override.yml -f docker-compose.test.yml "$@"
}

stack build backend celeryworker
stack up --detach --wait backend celeryworker
status=0
stack exec -T backend /app/tests-start.sh "$@" || status=$?
cat <<END

The stack is still running. Test it again, or remove it:
  $COMPOSE -p $project exec backend /app/tests-start.sh
  $COMPOSE -p $project down -v
END
exit "$status"
