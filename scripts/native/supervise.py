"""Starts, asks and stops the supervisor that keeps the services running."""

import contextlib
import os
import re
import subprocess
import sys
import time
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

import strays
from services import SERVICES
from settings import LOGS, RUN, SCRIPTS, VENV, die_with_parent, fail

# Named from the folder RUN, since a socket's path may have 107 bytes and a clone's may have more.
SOCKET = "supervisor.sock"
# The supervisor would make a relative name absolute.
BIND = SOCKET if sys.platform == "darwin" else f"/proc/self/cwd/{SOCKET}"
CONFIG = RUN / "supervisord.conf"
# What the other services use is stopped after them; the table has it first.
STORES = ("db", "redis")
UP = ("RUNNING", "STARTING", "BACKOFF")
# A line of the supervisor's log: 2026-11-26 13:52:04,123 WARN exited: flower (exit status 1; not expected)
EXIT = re.compile(r"(\d{4}-[-\d]+ [:,\d]+) \w+ exited: (\w+) ")
# The end of the log that is read, in bytes: a minute of restarts of every service is less.
LOG_TAIL_BYTES = 50_000

HEAD = f"""\
[unix_http_server]
file={BIND}
chmod=0700

[supervisord]
logfile=log/supervisord.log
pidfile=supervisord.pid
silent=true

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
PROGRAM = """
[program:{name}]
command={python} {script} {name}
autostart={autostart}
autorestart=true
priority={place}
startsecs=1
startretries=30
stopsignal={service.stop}
stopwaitsecs={service.seconds_to_stop}
killasgroup=true
redirect_stderr=true
stdout_logfile=log/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=1
"""


def server() -> Any:
    # The host is not used: the transport talks to the socket.
    return ServerProxy("http://localhost", SupervisorTransport(None, None, f"unix://{SOCKET}")).supervisor


def pid() -> int | None:
    """The running supervisor's process id."""
    try:
        return int(server().getPID())
    except (OSError, HTTPException, Fault):
        return None


def is_alive(supervisor: int | None) -> bool:
    if supervisor is None:
        return False
    with contextlib.suppress(ChildProcessError):
        # Else a child that has ended stays in the list of processes.
        os.waitpid(supervisor, os.WNOHANG)
    return bool(psutil.pid_exists(supervisor))


def caller_environment() -> dict[str, str]:
    """What the caller of `up` had, so that exec and test see what the services see."""
    running = pid()
    return dict(psutil.Process(running).environ()) if running else dict(os.environ)


def states() -> dict[str, dict[str, Any]]:
    return {info["name"]: info for info in server().getAllProcessInfo()}


def start(names: set[str], claims: list[int], *, bound: bool) -> None:
    """Start the supervisor with these services and the ports' claims; `bound` to this process, it ends with it."""
    programs = [
        PROGRAM.format(
            name=name,
            # Relative, since a clone's path may have any characters.
            python=os.path.relpath(VENV / "bin/python", RUN),
            script=os.path.relpath(SCRIPTS / "run.py", RUN),
            service=service,
            place=place,
            autostart=str(name in names).lower(),
        )
        for place, (name, service) in enumerate(SERVICES.items())
    ]
    CONFIG.write_text(HEAD + "".join(programs))
    for service in SERVICES.values():
        service.folder.mkdir(mode=0o700, exist_ok=True)
    output = LOGS / "supervisord.out"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [str(VENV / "bin/supervisord"), "--nodaemon", "--configuration", CONFIG.name],
            cwd=RUN,
            env={**os.environ, strays.MARK: strays.mark("supervisord")},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            pass_fds=claims,
            # Ctrl-C is for this process alone, which then stops the services in order.
            start_new_session=True,
            preexec_fn=die_with_parent if bound else None,
        )
    while process.poll() is None:
        if pid():
            return
        time.sleep(0.05)
    fail(f"the supervisor did not start: {output.read_text(errors='replace').strip()[-300:]}")


def start_service(name: str) -> None:
    _started(name).touch()
    try:
        server().startProcess(name, False)
    except Fault as fault:
        if "ALREADY_STARTED" not in fault.faultString:
            fail(f"{name} can't be started ({fault.faultString}): run down, then up.")


def _started(name: str) -> Path:
    return LOGS / f"{name}.started"


def exits(name: str, since: float) -> int:
    """How often a service has ended by itself since that time and since it was last started by a command."""
    with contextlib.suppress(FileNotFoundError):
        since = max(since, _started(name).stat().st_mtime)
    with (LOGS / "supervisord.log").open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
        found = [match for match in map(EXIT.match, log.read().decode(errors="replace").splitlines()) if match]
    return sum(match[2] == name and datetime.fromisoformat(match[1]).timestamp() > since for match in found)


def stop_service(name: str) -> None:
    try:
        server().stopProcess(name)
    except Fault as fault:
        if "NOT_RUNNING" not in fault.faultString:
            fail(f"{name} can't be stopped: {fault.faultString}")


def stop() -> bool:
    """Stop everything of this clone; whether there was anything."""
    running = pid()
    if running:
        with contextlib.suppress(psutil.Error, OSError, Fault):
            process = psutil.Process(running)
            # All at once, where the supervisor would stop one after the other.
            for names in (set(SERVICES) - set(STORES), STORES):
                for name in names:
                    with contextlib.suppress(Fault):
                        server().stopProcess(name, False)
                while any(info["statename"] == "STOPPING" for info in states().values()):
                    time.sleep(0.1)
            server().shutdown()
            psutil.wait_procs([process], timeout=60)
    return bool(strays.end()) or bool(running)
