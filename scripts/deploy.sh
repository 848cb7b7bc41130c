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
# The files read these, wherever they were set.
export DOMAIN STACK_NAME TRAEFIK_TAG TAG
# So that docker-stack.yml, which has the secrets, is for its owner alone.
umask 077

if [ "$(docker info --format '{{.Swarm.ControlAvailable}}')" != true ]; then
  echo "This Docker manages no Swarm: make it one (docker swarm init), or set DOCKER_HOST to one that does." >&2
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

# "docker stack deploy" refuses the project's name, and what is for "docker compose" alone.
compose --project-name "$STACK_NAME" -f docker-compose.yml -f docker-compose.swarm.yml "$@" config | awk '
  /^[^ ]/ { top = /^(name:|x-)/ }
  /^  [^ ]/ { inner = 0 }
  /^    [^ ]/ { inner = /^    (build|depends_on|labels|pull_policy|restart):/ }
  !top && !inner
' >docker-stack.yml

docker stack deploy --compose-file docker-stack.yml --with-registry-auth --detach=false --quiet "$STACK_NAME"

status=0
for service in $(docker stack services --quiet "$STACK_NAME"); do
  state=$(docker service inspect --format '{{.Spec.Name}} {{with .UpdateStatus}}{{.State}}: {{.Message}}{{end}}' "$service")
  case $state in
    *rollback* | *paused*)
      echo "$state (docker service ps --no-trunc ${state%% *})" >&2
      status=1
      ;;
  esac
done
exit "$status"
