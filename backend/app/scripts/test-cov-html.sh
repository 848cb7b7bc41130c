#!/bin/sh
# Run the tests and write htmlcov/index.html; arguments go to pytest.
set -e

exec sh "$(dirname "$0")/test.sh" --cov-report=html "$@"
