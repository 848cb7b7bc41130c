#!/bin/sh
# Run a Python program with the Python of the native stack, or a recent one of the machine: python.sh FILE ARGUMENTS
set -eu

# Many images set PYTHONDONTWRITEBYTECODE. Without compiled files, a start takes three times as long.
unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

case $(uname -s) in
  Linux | Darwin) ;;
  *)
    echo "This needs Linux or macOS; on Windows, use WSL." >&2
    exit 1
    ;;
esac

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# Prefer the Python of the virtual environment: if the default Python changes, the environment is not rebuilt.
for python in "$here/../../.native/venv/bin/python" python3 python3.14 python3.13 python3.12 python3.11 python; do
  # A program named python on PATH may be a shim without a Python behind it, so try it.
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    exec "$python" "$@"
  fi
done
echo "Python 3.11 or newer is required, and PATH contains none." >&2
exit 1
