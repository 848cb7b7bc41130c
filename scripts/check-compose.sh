#!/bin/sh
# Check every combination of the compose files that is in use. Needs Docker Compose, but no running Docker.
set -eu
cd "$(dirname "$0")/.."

if ! docker compose version >/dev/null 2>&1; then
  echo "Not checked, since there is no Docker Compose here: docker-compose.yml and the files beside it"
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
