#!/bin/sh
set -e

python -m app.celeryworker_pre_start

# The schedules are in the database, so there is no schedule file.
exec celery -A app.worker beat --scheduler="${CELERY_BEAT_SCHEDULER:-app.beat:Scheduler}" --pidfile= --loglevel=INFO "$@"
