#!/bin/sh
# Sourced by the other scripts, in the project's folder.

# is_new COMMAND...: succeeds if this Docker Compose can read our files.
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
  echo "Docker is not available: start it, or run \"docker info\" to see why." >&2
  echo "Without Docker: sh ./scripts/native.sh up" >&2
  exit 1
fi

compose() {
  # shellcheck disable=SC2086  # "docker compose" is two words
  $COMPOSE "$@"
}

# project KIND: prints a project name that is unique to this folder.
project() {
  printf '%s-%s\n' "$1" "$(pwd -P | cksum | cut -d ' ' -f 1)"
}
