#!/bin/sh
# Give a file that root made, as in the container, to the owner of its folder.
set -e

if [ "$(id -u)" = 0 ]; then
  # shellcheck disable=SC2012  # macOS has no other way that Linux has too
  chown "$(ls -dn "$(dirname "$1")" | awk '{ print $3 ":" $4 }')" "$1"
fi
