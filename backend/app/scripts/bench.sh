#!/bin/sh
# Measure the cost of requests on one core, and compare it to a bare server: sh ./scripts/bench.sh
# With --compare COMMIT, measure the working tree and a commit alternately, and print the ratios.
set -e
cd "$(dirname "$0")/.."

if ! command -v wrk >/dev/null; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "bench.sh: install wrk, the load generator (Debian: apt-get install wrk), then run this again." >&2
    exit 1
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq wrk >/dev/null
fi

exec python scripts/bench/run.py "$@"
