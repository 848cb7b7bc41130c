#!/bin/sh
# What must be done before the backend starts; a failing step stops the start.
set -e

# Let the database start
python -m app.backend_pre_start

# Run migrations
alembic upgrade head

# Create initial data in the database
POSTGRES_STATEMENT_TIMEOUT_SECONDS=0 python -m app.initial_data
