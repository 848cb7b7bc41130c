#!/bin/sh
# Run the tests with coverage; arguments go to pytest.
set -e
cd "$(dirname "$0")/.."

exec python -m pytest --cov=app --cov-report=term-missing:skip-covered "$@"
