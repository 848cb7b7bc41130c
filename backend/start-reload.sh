#!/bin/sh
# Like start.sh, but with one process, which restarts when the code changes.

exec /start.sh uvicorn --reload --reload-dir app --timeout-graceful-shutdown 5 \
  --host "${HOST:-0.0.0.0}" --port "${PORT:-80}" --log-level "${LOG_LEVEL:-info}" \
  "${APP_MODULE:-${MODULE_NAME:-app.main}:${VARIABLE_NAME:-app}}"
