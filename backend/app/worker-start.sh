#!/bin/sh
set -e

# The statement timeout is for requests. Tasks have a time_limit instead.
export POSTGRES_STATEMENT_TIMEOUT_SECONDS=0

python -m app.celeryworker_pre_start

# Nothing here needs gossip, which logs an AttributeError in Celery 5.7 when Redis stops.
exec celery -A app.worker worker --loglevel=INFO --queues=main-queue --without-gossip \
  --concurrency="${WORKER_CONCURRENCY:-2}" "$@"
