#!/bin/sh
# The stack without Docker: sh ./scripts/native.sh up. See --help.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)/native
# Many images set PYTHONDONTWRITEBYTECODE. Without compiled files, a start takes three times as long.
unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

case $(uname -s) in
  Linux | Darwin) ;;
  *)
    echo "native.sh: on Windows, use WSL." >&2
    exit 1
    ;;
esac

# Prefer the Python of the virtual environment: if the default Python changes, the environment is not rebuilt.
for python in "$here/../../.native/venv/bin/python" python3 python3.14 python3.13 python3.12 python3.11 python; do
  # A program named python on PATH may be a shim without a Python behind it, so try it.
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    exec "$python" "$here/main.py" "$@"
  fi
done
echo "native.sh: Python 3.11 or newer is required, and PATH contains none." >&2
exit 1
