"""Restarts a command when a Python file changes: python reload.py FOLDER COMMAND...

Unlike the watchfiles command, it exits when the command exits. Docker, or the native stack's
supervisor, can then restart a command that crashed.
"""

import os
import signal
import subprocess
import sys

from watchfiles import PythonFilter, watch


def stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(timeout=15)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def main(folder: str, command: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    child = subprocess.Popen(command)
    try:
        for changes in watch(
            folder,
            watch_filter=PythonFilter(),
            rust_timeout=500,
            yield_on_timeout=True,
            raise_interrupt=False,
        ):
            if changes:
                print(f"{os.path.relpath(min(changes)[1])} changed: starting again", flush=True)
                stop(child)
                child = subprocess.Popen(command)
            elif child.poll() is not None:
                return child.returncode or 1
    finally:
        stop(child)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
