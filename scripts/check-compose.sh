#!/bin/sh
# Checks all combinations of compose files that are in use. Needs Docker Compose, but not a running Docker.
set -eu
cd "$(dirname "$0")/.."

if ! docker compose version >/dev/null 2>&1; then
  echo "Docker Compose is not installed: docker-compose*.yml are not checked."
  exit
fi
export ACME_EMAIL=admin@example.com
for files in "" override test "override test" swarm "swarm secrets"; do
  set -- --file docker-compose.yml
  for name in $files; do
    set -- "$@" --file "docker-compose.$name.yml"
  done
  docker compose "$@" config --quiet
done
docker compose --file docker-compose.traefik-public.yml config --quiet
