#!/bin/sh
set -e

python -m app.celeryworker_pre_start

exec celery -A app.worker worker --loglevel=INFO --queues=main-queue --concurrency="${WORKER_CONCURRENCY:-2}" "$@"
