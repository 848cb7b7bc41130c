#!/bin/sh
# Run the tests and write htmlcov/index.html. Arguments go to pytest.
set -e

exec sh "$(dirname "$0")/test.sh" --cov-report=html "$@"
