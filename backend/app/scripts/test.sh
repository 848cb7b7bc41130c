#!/bin/sh
# Run the tests. Arguments go to pytest. Coverage is slow, so it is measured only if an argument starts with --cov.
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
