#!/bin/sh
set -e

# A command line is for all to see, so the login stays in the environment, where Flower reads it.
if [ -n "${FLOWER_BASIC_AUTH_FILE:-}" ]; then
  FLOWER_BASIC_AUTH=$(cat "$FLOWER_BASIC_AUTH_FILE")
  export FLOWER_BASIC_AUTH
fi

exec python -m app.flower_start "$@"
