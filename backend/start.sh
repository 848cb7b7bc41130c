#!/bin/sh
# Prepare the database, then run the given command, or gunicorn if none is given.
set -e

pre_start=${PRE_START_PATH:-/app/prestart.sh}
if [ -f "$pre_start" ]; then
  # shellcheck source=app/prestart.sh
  . "$pre_start"
else
  echo "There is no $pre_start: starting without it."
fi

if [ $# = 0 ]; then
  set -- gunicorn --config "${GUNICORN_CONF:-/gunicorn_conf.py}" \
    --worker-class "${WORKER_CLASS:-uvicorn_worker.UvicornWorker}" \
    "${APP_MODULE:-${MODULE_NAME:-app.main}:${VARIABLE_NAME:-app}}"
fi
if [ -z "${DRAIN_SECONDS:-}" ]; then
  exec "$@"
fi

# A proxy that polls the list of servers keeps sending requests for a few seconds after SIGTERM.
# Serve these requests for DRAIN_SECONDS, until the proxy has removed this server.
"$@" &
server=$!
trap 'sleep "$DRAIN_SECONDS"; kill -TERM "$server"' TERM
trap 'kill -HUP "$server"' HUP
while true; do
  status=0
  wait "$server" || status=$?
  kill -0 "$server" 2>/dev/null || exit "$status"
done
