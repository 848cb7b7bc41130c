#!/bin/sh
set -e

# This timeout is for requests. Tasks have a time_limit.
export POSTGRES_STATEMENT_TIMEOUT_SECONDS=0

python -m app.celeryworker_pre_start

# Nothing here needs gossip. In Celery 5.7 it logs an AttributeError when Redis stops.
exec celery -A app.worker worker --loglevel=INFO --queues=main-queue --without-gossip \
  --concurrency="${WORKER_CONCURRENCY:-2}" "$@"
