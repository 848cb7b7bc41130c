#!/bin/sh
set -e
cd "$(dirname "$0")"

python -m app.tests_pre_start

exec sh ./scripts/test.sh "$@"
