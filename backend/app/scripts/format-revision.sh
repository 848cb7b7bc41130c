#!/bin/sh
# Alembic runs this for each new revision: format the file, and give it the owner of its folder.
set -e

# A production image has no ruff.
if command -v ruff >/dev/null; then
  ruff check --quiet --select I --fix "$1"
  ruff format --quiet "$1"
fi
if [ "$(id -u)" = 0 ]; then
  # shellcheck disable=SC2012  # stat has other options on macOS than on Linux
  chown "$(ls -dn "$(dirname "$1")" | awk '{ print $3 ":" $4 }')" "$1"
fi
