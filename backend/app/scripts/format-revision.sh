#!/bin/sh
# Format a new revision, and make the owner of its folder its owner. Alembic runs this.
set -e

# A production image has no ruff.
if command -v ruff >/dev/null; then
  ruff check --quiet --select I --fix "$1"
  ruff format --quiet "$1"
fi
if [ "$(id -u)" = 0 ]; then
  # shellcheck disable=SC2012  # ls is the only way that macOS and Linux share
  chown "$(ls -dn "$(dirname "$1")" | awk '{ print $3 ":" $4 }')" "$1"
fi
