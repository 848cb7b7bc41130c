#!/bin/sh
# Prepare the database. If a step fails, the backend does not start.
set -e

# Wait for the database
python -m app.backend_pre_start

# Run migrations
alembic upgrade head

# Create initial data in the database
POSTGRES_STATEMENT_TIMEOUT_SECONDS=0 python -m app.initial_data
