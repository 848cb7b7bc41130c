#!/bin/sh
# Give a file that root made, as in the container, to the owner of its folder.
set -e

if [ "$(id -u)" = 0 ]; then
  owner=$(ls -dn "$(dirname "$1")" | awk '{ print $3 ":" $4 }')
  chown "$owner" "$1"
fi
