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

secrets=.env.production
set -- -f docker-compose.yml -f docker-compose.swarm.yml "$@"
if [ -e "$secrets" ]; then
  case $(ls -ldL "$secrets") in
    -???------*) ;;
    *)
      echo "$secrets holds secrets that other users can read or change: chmod 600 $secrets" >&2
      exit 1
      ;;
  esac
  set -- --env-file "$secrets" "$@"
fi
# A Swarm's config cannot change, so its name changes with the file. The database restarts only then.
CREATE_ROLE_VERSION=$(cksum scripts/postgres/create-role.sql | cut -d ' ' -f 1)
DOCKER_PROXY_VERSION=$(cksum scripts/docker-proxy/nginx.conf | cut -d ' ' -f 1)
export CREATE_ROLE_VERSION DOCKER_PROXY_VERSION
# A later file wins, and the shell wins over all.
config=$(compose --project-name "$STACK_NAME" --env-file .env --env-file scripts/deploy.env "$@" config)
# It has the secrets: for its owner alone.
rm -f docker-stack.yml
umask 077
# "docker stack deploy" rejects the project's name, and what is for "docker compose" alone.
printf '%s\n' "$config" | awk '
  /^[^ ]/ { top = /^(name:|x-)/ }
  /^  [^ ]/ { inner = 0 }
  /^    [^ ]/ { inner = /^    (build|depends_on|labels|profiles|pull_policy|restart|security_opt):/ }
  !top && !inner
' >docker-stack.yml
published=$(awk '
  /^  [^ ]/ { service = $1 }
  /^ *[A-Z][A-Z0-9_]*: .*changethis/ {
    name = $1
    if (service == "db:") name = name == "APP_PASSWORD:" ? "POSTGRES_PASSWORD:" : "POSTGRES_SUPERUSER_PASSWORD:"
    if (service == "redis:") name = "REDIS_PASSWORD:"
    sub(":", "", name)
    print name
  }
' docker-stack.yml | sort -u | xargs)
if [ -n "$published" ]; then
  echo "Still \"changethis\": $published. Set secrets of your own in $secrets or in the shell." >&2
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
# Pruning removes pgAdmin and Flower when they are no longer asked for.
docker stack deploy --compose-file docker-stack.yml --with-registry-auth --resolve-image changed \
  --prune --detach=false --quiet "$STACK_NAME" &
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
