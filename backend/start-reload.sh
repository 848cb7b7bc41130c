#!/bin/sh
# As start.sh, but one process, which starts anew when the code changes.
set -e

pre_start=${PRE_START_PATH:-/app/prestart.sh}
if [ -f "$pre_start" ]; then
  # shellcheck source=app/prestart.sh
  . "$pre_start"
else
  echo "There is no $pre_start: starting without it."
fi

exec uvicorn --reload --reload-dir app --timeout-graceful-shutdown 5 \
  --host "${HOST:-0.0.0.0}" --port "${PORT:-80}" --log-level "${LOG_LEVEL:-info}" \
  "${APP_MODULE:-${MODULE_NAME:-app.main}:${VARIABLE_NAME:-app}}"
