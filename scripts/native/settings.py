"""Paths of the native stack, and functions that its modules share."""

import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

Env = Mapping[str, str]

SCRIPTS = Path(__file__).resolve().parent
ROOT = SCRIPTS.parents[1]
BACKEND = ROOT / "backend" / "app"
FRONTEND = ROOT / "frontend"
# The stacks of a clone share the installed packages in STATE.
STATE = (ROOT / ".native").resolve()
VENV = STATE / "venv"
# Each stack has its own data: the development stack, and the one that the browser tests start.
TESTING = os.environ.get("NATIVE_STACK") == "test"
RUN = STATE / "test" if TESTING else STATE
DATA = RUN / "data"
LOGS = RUN / "log"
PORTS = RUN / "ports.json"
SECRETS = RUN / "secrets.env"


def say(text: str) -> None:
    print(text, flush=True)


def fail(text: str) -> NoReturn:
    raise SystemExit(f"native.sh: {text}")


def prepare_state() -> None:
    try:
        for folder in (STATE, RUN, DATA, LOGS):
            folder.mkdir(mode=0o700, exist_ok=True)
    except PermissionError as error:
        fail(f"{error.filename} is not writable: run this as the owner of the clone.")
    if STATE.stat().st_uid != os.geteuid():
        fail(f"{STATE} belongs to another user: run this as that user, or remove the folder with its data.")
    # Earlier versions created the folder with access for all users.
    STATE.chmod(0o700)


@contextmanager
def locked(path: Path, busy: str = "") -> Iterator[None]:
    """Hold a lock file. If another process holds it, fail with the message `busy`, or wait if there is no message."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError:
            fail(busy)
        yield


def read_ports() -> dict[str, int]:
    try:
        return dict(json.loads(PORTS.read_text()))
    except (OSError, ValueError):
        return {}


def write_private(file: Path, text: str) -> None:
    """Replace a file atomically by one that only its owner can read."""
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
    part.replace(file)


def call(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, text=True, **options)


def last_error(output: str) -> str:
    """Return the last line of a program's output that reports an error, or the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"error|fail|can't|native\.sh:", line, re.IGNORECASE)]
    return (errors or lines or ["no reason given"])[-1]


def reexec_in_venv() -> None:
    if not VENV.samefile(sys.prefix):
        python = str(VENV / "bin" / "python")
        os.execv(python, [python, *sys.argv])
