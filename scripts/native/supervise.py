"""Starts, queries and stops the supervisor, which runs the services."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import datetime
from http.client import HTTPException
from string import Template
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

import orphans
from services import SERVICES
from settings import LOGS, RUN, SCRIPTS, VENV, fail

# Relative to RUN: the path of a socket can have only 107 bytes.
SOCKET = "supervisor.sock"
# The supervisor makes relative paths absolute. On Linux, this path is absolute and short.
LISTEN = SOCKET if sys.platform == "darwin" else f"/proc/self/cwd/{SOCKET}"
CONFIG = RUN / "supervisord.conf"
# Other services use these, so they stop last.
STORES = ("db", "redis")
UP = ("RUNNING", "STARTING", "BACKOFF")
# 2026-11-26 13:52:04,123 WARN exited: flower (exit status 1; not expected)
EXIT = re.compile(r"(\d{4}-[-\d]+ [:,\d]+) \w+ exited: (\w+) ")
# Enough for more than a minute in which all services restart.
LOG_TAIL_BYTES = 50_000


def server() -> Any:
    # The transport ignores the host.
    return ServerProxy("http://localhost", SupervisorTransport(None, None, f"unix://{SOCKET}")).supervisor


def pid() -> int | None:
    """Return the process id of the running supervisor."""
    try:
        return int(server().getPID())
    except (OSError, HTTPException, Fault):
        return None


def is_alive(supervisor: int | None) -> bool:
    if supervisor is None:
        return False
    # If the supervisor is a child that has ended, remove it from the list of processes, or pid_exists would find it.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(supervisor, os.WNOHANG)
    return bool(psutil.pid_exists(supervisor))


def caller_environment() -> dict[str, str]:
    """Return the environment of the `up` that started the stack, so that exec sees what the services see."""
    running = pid()
    return dict(psutil.Process(running).environ()) if running else dict(os.environ)


def states() -> dict[str, dict[str, Any]]:
    return {info["name"]: info for info in server().getAllProcessInfo()}


def start(claims: list[int]) -> None:
    """Start the supervisor. It inherits the claims of the ports, and so holds them until it ends."""
    paths = {"python": os.path.relpath(VENV / "bin/python", RUN), "script": os.path.relpath(SCRIPTS / "run.py", RUN)}
    config = _template("supervisord").substitute(socket=LISTEN)
    for name, service in SERVICES.items():
        service.folder.mkdir(mode=0o700, exist_ok=True)
        config += _template("program").substitute(paths, name=name, **vars(service))
    CONFIG.write_text(config)
    output = LOGS / "supervisord.out"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [str(VENV / "bin/supervisord"), "--nodaemon", "--configuration", CONFIG.name],
            cwd=RUN,
            env={**os.environ, orphans.MARK: orphans.mark("supervisord")},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            pass_fds=claims,
            # Ctrl-C must reach only this process, which then stops the services in the right order.
            start_new_session=True,
        )
    while process.poll() is None:
        if pid():
            return
        time.sleep(0.05)
    fail(f"the supervisor did not start: {output.read_text(errors='replace').strip()[-300:]}")


def _template(name: str) -> Template:
    return Template((SCRIPTS / "supervisord" / f"{name}.conf").read_text())


def start_service(name: str) -> None:
    (LOGS / f"{name}.started").touch()
    try:
        server().startProcess(name, False)
    except Fault as fault:
        if "ALREADY_STARTED" not in fault.faultString:
            fail(f"{name} can't be started ({fault.faultString}): run down, then up.")


def exits(name: str, since: float) -> int:
    """Return how often a service has exited since the later of two times: `since`, and the last start by a command."""
    with contextlib.suppress(FileNotFoundError):
        since = max(since, (LOGS / f"{name}.started").stat().st_mtime)
    with (LOGS / "supervisord.log").open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
        found = [match for match in map(EXIT.match, log.read().decode(errors="replace").splitlines()) if match]
    return sum(match[2] == name and datetime.fromisoformat(match[1]).timestamp() > since for match in found)


def stop_services(names: Iterable[str]) -> None:
    """Stop services at the same time, but stores after the others."""
    for group in (set(names) - set(STORES), set(names) & set(STORES)):
        for name in group:
            stop_service(name, wait=False)
        while any(info["statename"] == "STOPPING" for name, info in states().items() if name in group):
            time.sleep(0.1)


def stop_service(name: str, *, wait: bool = True) -> None:
    try:
        server().stopProcess(name, wait)
    except Fault as fault:
        # A stack that was started before an update of the template does not have its new services.
        if not any(reason in fault.faultString for reason in ("NOT_RUNNING", "BAD_NAME")):
            fail(f"{name} can't be stopped: {fault.faultString}")


def stop() -> bool:
    """Stop the whole stack, and return whether there was anything to stop."""
    running = pid()
    if running:
        with contextlib.suppress(psutil.Error, OSError, Fault):
            process = psutil.Process(running)
            # The shutdown of the supervisor would stop one after the other.
            stop_services(set(SERVICES) - set(STORES))
            server().shutdown()
            psutil.wait_procs([process], timeout=60)
    return bool(orphans.stop()) or bool(running)
