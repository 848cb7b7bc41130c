#!/bin/sh
# Deploys the stack to the Swarm that this Docker manages, and waits until it runs. Needs jq.
# Arguments go to "docker compose config", for example -f docker-compose.secrets.yml.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=compose.sh
. ./scripts/compose.sh

: "${DOMAIN:?is not set: set it to the domain of the stack}"
: "${STACK_NAME:?is not set: set it to the name of the stack}"
: "${TRAEFIK_TAG:?is not set: set it to the tag by which the proxy finds its services}"
: "${TAG:?is not set: set it to the tag of the images}"
# Docker retries a service that does not start forever, so stop waiting after this time.
TIMEOUT_SECONDS=900
SECRETS=.env.production

fail() {
  echo "$*" >&2
  exit 1
}

command -v jq >/dev/null || fail 'deploy.sh needs jq: install it, for example with "apt-get install jq".'
[ "$(docker info --format '{{.Swarm.ControlAvailable}}')" = true ] ||
  fail "This Docker is not a Swarm manager. Run \"docker swarm init\", or set DOCKER_HOST to a manager."

set -- -f docker-compose.yml -f docker-compose.swarm.yml "$@"
if [ -e "$SECRETS" ]; then
  case $(ls -ldL "$SECRETS") in
    -???------*) ;;
    *) fail "Other users can read or change the secrets in $SECRETS: chmod 600 $SECRETS" ;;
  esac
  set -- --env-file "$SECRETS" "$@"
fi

# A config of a Swarm cannot change, so a changed file needs a config with a new name.
CREATE_ROLE_VERSION=$(cksum scripts/postgres/create-role.sql | cut -d ' ' -f 1)
DOCKER_PROXY_VERSION=$(cksum scripts/docker-proxy/nginx.conf | cut -d ' ' -f 1)
export CREATE_ROLE_VERSION DOCKER_PROXY_VERSION
# Values of a later file replace those of an earlier file. Variables of the shell replace both.
config=$(compose --project-name "$STACK_NAME" --env-file .env --env-file scripts/deploy.env "$@" config --format json)

# docker-stack.yml contains secrets: only its owner may read it.
rm -f docker-stack.yml
umask 077
# JSON is valid YAML. "docker stack deploy" rejects keys that only Docker Compose knows, and null values. In it,
# published ports must be numbers and CPUs must be strings.
printf '%s\n' "$config" | jq '
  del(.name)
  | with_entries(select(.key | startswith("x-") | not))
  | .services[] |= (
      del(.build, .depends_on, .labels, .profiles, .pull_policy, .restart, .security_opt)
      | with_entries(select(.value != null))
      | (.ports[]?.published | strings) |= tonumber
      | (.deploy.resources[]?.cpus | numbers) |= tostring
    )
' >docker-stack.yml

published=$(jq --raw-output '
  # In these two services, settings have other names than in .env.
  {
    db: {
      APP_PASSWORD: "POSTGRES_PASSWORD",
      POSTGRES_PASSWORD: "POSTGRES_SUPERUSER_PASSWORD",
      SUPERUSER_PASSWORD: "POSTGRES_SUPERUSER_PASSWORD"
    },
    redis: {REDISCLI_AUTH: "REDIS_PASSWORD"}
  } as $settings
  | [
      .services | to_entries[] | .key as $service
      | .value.environment // {} | to_entries[]
      | select(.value | tostring | contains("changethis"))
      | $settings[$service][.key] // .key
    ]
  | unique | join(" ")
' docker-stack.yml)
[ -z "$published" ] || fail "Still \"changethis\": $published. Set your own values in $SECRETS or in the shell."

label=$STACK_NAME.app-db-data
if [ -z "$(docker node ls --quiet --filter "node.label=$label=true")" ]; then
  [ "$(docker node ls --quiet | wc -l)" -eq 1 ] ||
    fail "Choose the node that stores the data: docker node update --label-add $label=true NODE"
  docker node update --label-add "$label=true" "$(docker node ls --quiet)"
fi

# "docker stack deploy" would replace an empty value by the shell's variable, such as another service's secret.
unset_empty=$(jq --raw-output '
  .services[].environment // {} | to_entries[] | select(.value == "") | "-u", .key
' docker-stack.yml)
# "--resolve-image changed": a newer image with the same name must not restart the database.
# "--prune" removes pgAdmin and Flower if COMPOSE_PROFILES no longer contains "tools".
# shellcheck disable=SC2086  # Options, and names without spaces.
env $unset_empty docker stack deploy --compose-file docker-stack.yml --with-registry-auth --resolve-image changed \
  --prune --detach=false --quiet "$STACK_NAME" &
deployment=$!
trap 'kill "$deployment" 2>/dev/null; exit 130' INT TERM
end=$(($(date +%s) + TIMEOUT_SECONDS))
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
[ "$status" = 0 ] || fail "The deployment failed. To see why: docker stack ps --no-trunc $STACK_NAME"
