#!/bin/sh
# The whole stack without Docker: sh ./scripts/native.sh up (--help for the rest).
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)/native
# Many images set the last one, and without compiled files every start takes three times as long.
unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

case $(uname -s) in
  Linux | Darwin) ;;
  *)
    echo "native.sh: Windows is served through WSL: run this in a Linux shell there." >&2
    exit 1
    ;;
esac

# The environment's own Python first, so that a later change of the machine's default rebuilds nothing.
for python in "$here/../../.native/venv/bin/python" python3 python3.14 python3.13 python3.12 python3.11 python; do
  # A name on PATH may be a shim with nothing behind it: only an answer counts.
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    exec "$python" "$here/main.py" "$@"
  fi
done
echo "native.sh: this needs Python 3.11 or newer, and none was found on PATH." >&2
exit 1
