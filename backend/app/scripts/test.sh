#!/bin/sh
# Run the tests; arguments go to pytest. Coverage takes longer: it runs only when an argument starts with --cov.
set -e
cd "$(dirname "$0")/.."

for argument in "$@"; do
  case $argument in
    --cov*)
      set -- --cov=app --cov-report=term-missing:skip-covered "$@"
      break
      ;;
  esac
done
exec python -m pytest "$@"
