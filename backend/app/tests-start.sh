#!/bin/sh
set -e
cd "$(dirname "$0")"

python -m app.tests_pre_start

if [ "$PWD" = /app ] && [ "$(id -u)" = 0 ]; then
  # The folder is mounted from the host. Run as the folder's owner, who then owns the files that the tests write.
  exec env HOME=/tmp setpriv --reuid="$(stat -c %u .)" --regid="$(stat -c %g .)" --clear-groups \
    sh ./scripts/test.sh "$@"
fi
exec sh ./scripts/test.sh "$@"
