#!/bin/sh
set -e

# Other users of the machine can see command lines, so Flower reads the login from the environment.
if [ -n "${FLOWER_BASIC_AUTH_FILE:-}" ]; then
  FLOWER_BASIC_AUTH=$(cat "$FLOWER_BASIC_AUTH_FILE")
  export FLOWER_BASIC_AUTH
fi

# The app's settings require these variables. Flower does not use them, and its container does not set them.
unused=$(python -c 'import secrets; print(secrets.token_urlsafe(32))')
export SECRET_KEY="${SECRET_KEY:-$unused}" POSTGRES_PASSWORD="${POSTGRES_PASSWORD:-$unused}"
export FIRST_SUPERUSER="${FIRST_SUPERUSER:-flower@example.com}"
export FIRST_SUPERUSER_PASSWORD="${FIRST_SUPERUSER_PASSWORD:-$unused}"

exec python -m app.flower_start "$@"
