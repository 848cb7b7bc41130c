#!/bin/sh
# Deploy the stack to the Swarm that this Docker manages, and wait until it runs. Arguments go to
# "docker compose", which puts docker-stack.yml together: -f docker-compose.secrets.yml, for example.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=compose.sh
. ./scripts/compose.sh

: "${DOMAIN:?is not set: say under which domain the stack is reached}"
: "${STACK_NAME:?is not set: say what the stack is called}"
: "${TRAEFIK_TAG:?is not set: say by which tag its proxy finds its services}"
: "${TAG:?is not set: say which tag the images have}"
# A service that does not start is tried again for ever; nobody waits for longer than this.
minutes=15

if [ "$(docker info --format '{{.Swarm.ControlAvailable}}')" != true ]; then
  echo "This Docker manages no Swarm: make it one (docker swarm init), or set DOCKER_HOST to one that does." >&2
  exit 1
fi

config=$(compose --project-name "$STACK_NAME" -f docker-compose.yml -f docker-compose.swarm.yml "$@" config)
# It has the secrets: for its owner alone.
rm -f docker-stack.yml
umask 077
# "docker stack deploy" refuses the project's name, and what is for "docker compose" alone.
printf '%s\n' "$config" | awk '
  /^[^ ]/ { top = /^(name:|x-)/ }
  /^  [^ ]/ { inner = 0 }
  /^    [^ ]/ { inner = /^    (build|depends_on|labels|pull_policy|restart):/ }
  !top && !inner
' >docker-stack.yml
if grep -q changethis docker-stack.yml; then
  echo "There is still a \"changethis\": give each secret in .env a value of its own, there or in the shell." >&2
  exit 1
fi

label=$STACK_NAME.app-db-data
if [ -z "$(docker node ls --quiet --filter "node.label=$label=true")" ]; then
  if [ "$(docker node ls --quiet | wc -l)" -gt 1 ]; then
    echo "Say which node keeps the data: docker node update --label-add $label=true NODE" >&2
    exit 1
  fi
  docker node update --label-add "$label=true" "$(docker node ls --quiet)"
fi

# Only an image whose name has changed: a newer one under the database's name must not restart it now.
docker stack deploy --compose-file docker-stack.yml --with-registry-auth --resolve-image changed \
  --detach=false --quiet "$STACK_NAME" &
deployment=$!
trap 'kill "$deployment" 2>/dev/null; exit 130' INT TERM
end=$(($(date +%s) + 60 * minutes))
while kill -0 "$deployment" 2>/dev/null; do
  [ "$(date +%s)" -lt "$end" ] || kill "$deployment"
  sleep 1
done
status=0
wait "$deployment" || status=$?

for service in $(docker stack services --quiet "$STACK_NAME"); do
  state=$(docker service inspect --format '{{.Spec.Name}} {{with .UpdateStatus}}{{.State}}: {{.Message}}{{end}}' "$service")
  case $state in
    *rollback* | *paused*)
      echo "$state" >&2
      status=1
      ;;
  esac
done
if [ "$status" != 0 ]; then
  echo "The deployment failed. See why: docker stack ps --no-trunc $STACK_NAME" >&2
  exit 1
fi
