#!/bin/sh
# Start a stack with your code mounted, and test it. It stays up, to test again. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=compose.sh
. ./scripts/compose.sh

# Not the development's image.
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

The stack is still up. Test it again, or end it:
  $COMPOSE -p $project exec backend /app/tests-start.sh
  $COMPOSE -p $project down -v
END
exit "$status"
