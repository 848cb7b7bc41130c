#!/bin/sh
# For the scripts beside it, which source it from the project's folder.

# is_new COMMAND...: whether this is a Docker Compose that can read our files.
is_new() {
  "$@" version --short 2>/dev/null | sed 's/^v//' | awk -F. '{ ok = $1 > 2 || ($1 == 2 && $2 >= 34) } END { exit !ok }'
}

if is_new docker compose; then
  COMPOSE="docker compose"
elif is_new docker-compose; then
  COMPOSE=docker-compose
else
  echo "Docker Compose 2.34 or newer is needed, as \"docker compose\" or as \"docker-compose\"." >&2
  exit 1
fi

if ! docker info >/dev/null 2>&1; then
  echo "Docker does not answer: start it, or see whether you may use it (\"docker info\" says why not)." >&2
  echo "Without Docker: sh ./scripts/native.sh up" >&2
  exit 1
fi

compose() {
  # shellcheck disable=SC2086  # one word or two
  $COMPOSE "$@"
}

# project KIND: a project name of this folder's own, so that a test's stack is no other's.
project() {
  printf '%s-%s\n' "$1" "$(pwd -P | cksum | cut -d ' ' -f 1)"
}
