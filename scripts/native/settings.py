"""Where the native stack keeps things, what its services find in their environment, and how it speaks."""

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import env_file
import passwords

ROOT = Path(__file__).resolve().parents[2]
BACKEND = ROOT / "backend" / "app"
SCRIPTS = Path(__file__).resolve().parent
STATE = ROOT / ".native"
VENV = STATE / "venv"
# Installed packages serve all stacks of a clone. What belongs to a running one, data first of all, is in a folder of
# its own: of the development's stack, or of the one that the browser tests start beside it.
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
        fail(f"{error.filename} can't be written: run this as the user who owns the clone.")
    if STATE.stat().st_uid != os.geteuid():
        fail(f"{STATE} belongs to another user: run this as that user, or as root remove the folder (its data go too).")
    # Older versions let every user in.
    STATE.chmod(0o700)


@contextmanager
def locked(path: Path, busy: str | None = None) -> Iterator[None]:
    """Hold a lock file; when another run holds it, fail with `busy`, or wait when there is none."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError:
            fail(str(busy))
        yield


def read_ports() -> dict[str, int]:
    try:
        return dict(json.loads(PORTS.read_text()))
    except (OSError, ValueError):
        return {}


def environment(caller: Mapping[str, str] = os.environ) -> dict[str, str]:
    """As in Compose, the caller wins over .env. Only addresses are the native stack's own."""
    try:
        # Vite takes the frontend's from here: it would expand a $ in the file itself.
        values = env_file.read(ROOT / "frontend/.env") | env_file.read(ROOT / ".env")
    except ValueError as error:
        fail(str(error))
    values |= {name: caller[name] for name in values if name in caller}
    for name in ("POSTGRES_USER", "POSTGRES_DB", *passwords.NAMES):
        if not values.setdefault(name, caller.get(name, "")) and name not in passwords.NAMES:
            fail(f"{name} is not set: give it a value in {ROOT / '.env'}.")
    if values["POSTGRES_USER"] == "postgres":
        why = "postgres is the superuser of the database server, and the application needs its own role"
        fail(f"{why}: set POSTGRES_USER=app, or another name, in {ROOT / '.env'} (existing data are upgraded).")
    passwords.fill_in(values, SECRETS)
    ports = read_ports()
    web, domain = ports.get("proxy", 80), values.get("DOMAIN") or "localhost"
    addresses = {
        "ENVIRONMENT": "development",
        "SERVER_HOST": f"http://{domain}" if web == 80 else f"http://{domain}:{web}",
        "POSTGRES_SERVER": "127.0.0.1",
        "POSTGRES_PORT": str(ports.get("db", "")),
        # Another user's program may take the port while the database is down, and ask for the password.
        "PGREQUIREAUTH": "scram-sha-256",
        "REDIS_URL": f"redis://:{quote(values['REDIS_PASSWORD'], safe='')}@127.0.0.1:{ports.get('redis', '')}/0",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(ports.get("smtp", "")),
        "SMTP_TLS": "False",
        "SMTP_SSL": "False",
        "SMTP_USER": "",
        "SMTP_PASSWORD": "",
    }
    path = {
        "PYTHONPATH": str(BACKEND),
        "VIRTUAL_ENV": str(VENV),
        "PATH": os.pathsep.join([str(VENV / "bin"), os.environ.get("PATH", os.defpath)]),
        # Logs are read while they are written.
        "PYTHONUNBUFFERED": "1",
    }
    return {**os.environ, **values, **addresses, **path}


def die_with_parent(number: int = signal.SIGTERM) -> None:
    """Linux: get this signal when the parent dies, however hard, so that no kill leaves anything running."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, number)


def call(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run an installing command that ends with this process."""
    # Killed, since npm would go on to tidy up, in the folder that the next run has filled meanwhile.
    return subprocess.run(command, check=False, preexec_fn=lambda: die_with_parent(signal.SIGKILL), **options)


def reexec_in_venv() -> None:
    if not VENV.samefile(sys.prefix):
        python = str(VENV / "bin" / "python")
        os.execv(python, [python, *sys.argv])
