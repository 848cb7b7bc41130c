#!/bin/sh
# Format a new revision, and give it to the owner of its folder: alembic runs this.
set -e

# A production image has no ruff.
if command -v ruff >/dev/null; then
  ruff check --quiet --select I --fix "$1"
  ruff format --quiet "$1"
fi
if [ "$(id -u)" = 0 ]; then
  # shellcheck disable=SC2012  # macOS has no other way that Linux has too
  chown "$(ls -dn "$(dirname "$1")" | awk '{ print $3 ":" $4 }')" "$1"
fi
