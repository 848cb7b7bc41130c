#!/bin/sh
set -e
cd "$(dirname "$0")"

python -m app.tests_pre_start

if [ "$PWD" = /app ] && [ "$(id -u)" = 0 ]; then
  # The container's folder is one of the host's: what the tests leave there is for its owner.
  exec env HOME=/tmp setpriv --reuid="$(stat -c %u .)" --regid="$(stat -c %g .)" --clear-groups \
    sh ./scripts/test.sh "$@"
fi
exec sh ./scripts/test.sh "$@"
