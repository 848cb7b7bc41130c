"""Waits until the services do their work, and says why one doesn't."""

import contextlib
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Container, Iterable, Mapping

import psutil
import redis

import db
import supervise
from settings import LOGS, fail, read_ports, say

LIVE = "/api/v1/utils/health/live"
# A service that has ended this often while it is waited for has a lasting reason.
EXITS = 3
# A service that is idle for this long is considered hung. One that is at work on a busy machine has no limit.
QUIET_SECONDS = 60
# The share of a processor below which it does nothing: the timers of an idle service use a fifth of this.
IDLE = 0.015
TELL_SECONDS = 15
# Seconds of processor time. A missing setting or a taken port shows earlier.
SETTLED = 0.3
# A service that ended twice in the first of these, and runs for less than the second, keeps failing.
RECENT, STABLE = 120, 60


def _backend(_: Mapping[str, str]) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{read_ports()['proxy']}{LIVE}", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _frontend(_: Mapping[str, str]) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{read_ports()['proxy']}/", timeout=5) as answer:
            return answer.status == 200 and "text/html" in answer.headers.get("Content-Type", "")
    except (urllib.error.URLError, OSError):
        return False


def _worker(env: Mapping[str, str]) -> bool:
    """Whether the worker waits for jobs: with BRPOP, on its own connection, since Flower uses BRPOP too."""
    own: set[str] = set()
    for process in _processes(supervise.states()["celeryworker"]["pid"]):
        with contextlib.suppress(psutil.Error):
            own |= {f"{each.laddr.ip}:{each.laddr.port}" for each in process.net_connections("tcp")}
    try:
        with redis.Redis.from_url(env["REDIS_URL"], socket_timeout=2) as broker:
            return any(client["cmd"] == "brpop" and client["addr"] in own for client in broker.client_list())
    except redis.RedisError:
        return False


def _answers(port: str) -> Callable[[Mapping[str, str]], bool]:
    def check(_: Mapping[str, str]) -> bool:
        try:
            socket.create_connection(("127.0.0.1", read_ports()[port]), timeout=1).close()
        except OSError:
            return False
        return True

    return check


# In the order in which they need each other.
CHECKS: dict[str, Callable[[Mapping[str, str]], bool]] = {
    "db": db.check,
    "redis": _answers("redis"),
    "proxy": _answers("proxy"),
    "backend": _backend,
    "celeryworker": _worker,
    "frontend": _frontend,
    "flower": _answers("flower"),
    "mailcatcher": _answers("mail"),
    "pgadmin": _answers("pgadmin"),
}


class Progress:
    """Whether a service is at work: its processes use processor time, write to its log or start others."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.changed = self.looked = time.monotonic()
        self.cpu_seconds = 0.0
        self.seen: object = None

    def look(self, pid: int) -> None:
        if time.monotonic() - self.looked < 0.5 and self.seen is not None:
            return
        self.looked = time.monotonic()
        log = LOGS / f"{self.name}.log"
        processes, self.cpu_seconds = _processes(pid), 0.0
        for process in processes:
            with contextlib.suppress(psutil.Error):
                # Of its own, and of the children that have ended.
                self.cpu_seconds += sum(process.cpu_times()[:4])
        steps = int(self.cpu_seconds / (QUIET_SECONDS * IDLE))
        seen = ([each.pid for each in processes], log.stat().st_size if log.exists() else 0, steps)
        if seen != self.seen:
            self.seen, self.changed = seen, self.looked

    @property
    def quiet_seconds(self) -> float:
        return self.looked - self.changed


def _processes(pid: int) -> list[psutil.Process]:
    """A process and all below it; none for 0, which a service has while it is not running."""
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)] if pid else []
    return []


def wait(names: Iterable[str], env: Mapping[str, str], meanwhile: Callable[[], None] = lambda: None) -> None:
    """Wait until all of these are up, while each is at work."""
    began = time.time()
    waiting = [name for name in CHECKS if name in names]
    if not set(waiting) <= set(supervise.states()):
        fail("there are services that were not there at the last start: run down, then up.")
    watched, progress, told = list(waiting), Progress(""), 0.0
    while waiting:
        name, states = waiting[0], supervise.states()
        if _is_up(name, states, env):
            say(f"  {waiting.pop(0)} is up ({time.time() - began:.1f} s)")
            continue
        for each in watched:
            if supervise.exits(each, began) >= EXITS or states[each]["statename"] in ("FATAL", "STOPPED"):
                _give_up(each, "does not start")
        if progress.name != name:
            progress, told = Progress(name), time.monotonic()
        progress.look(states[name]["pid"])
        if progress.quiet_seconds > QUIET_SECONDS:
            _give_up(name, f"hangs: for {QUIET_SECONDS} seconds it used no processor time and wrote nothing")
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            doing = f"idle for {progress.quiet_seconds:.0f} s" if progress.quiet_seconds > TELL_SECONDS else "at work"
            say(f"  waiting for {name}, which is {doing} ({time.time() - began:.0f} s) ...")
        meanwhile()
        time.sleep(0.1)


def _is_up(name: str, states: Mapping[str, Mapping[str, object]], env: Mapping[str, str]) -> bool:
    # One that has not run for a second may have met another program on its port, which would respond in its place.
    return states[name]["statename"] == "RUNNING" and CHECKS[name](env)


def settle(names: Iterable[str], env: Mapping[str, str]) -> None:
    """Wait until each of these is up, has failed, or has worked for as long as most faults take to show."""
    began = time.time()
    waiting = {name: Progress(name) for name in names}
    while waiting:
        states = supervise.states()
        for name, progress in list(waiting.items()):
            progress.look(states[name]["pid"])
            settled = progress.cpu_seconds > SETTLED or progress.quiet_seconds > QUIET_SECONDS
            if settled or supervise.exits(name, began) or _is_up(name, states, env):
                del waiting[name]
        time.sleep(0.1)


def failing(new: Container[str] = ()) -> dict[str, str]:
    """The services that keep ending, each with why and where to read more; of those just started, once is enough."""
    found = {}
    for name, info in supervise.states().items():
        down = info["statename"] in ("BACKOFF", "EXITED", "FATAL")
        young = info["statename"] in ("STARTING", "RUNNING") and info["now"] - info["start"] < STABLE
        enough = 1 if name in new else 2
        if down or (young and supervise.exits(name, time.time() - RECENT) >= enough):
            found[name] = f"{name} keeps failing: {_last_error(name)} (more: sh ./scripts/native.sh logs {name})"
    return found


def _last_lines(name: str) -> list[str]:
    log = LOGS / f"{name}.log"
    return log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []


def _last_error(name: str) -> str:
    lines = [line.strip() for line in _last_lines(name) if line.strip()]
    errors = [line for line in lines if re.search(r"error|fail|can't|native\.sh:", line, re.IGNORECASE)]
    return (errors or lines or ["it wrote nothing"])[-1]


def _give_up(name: str, why: str) -> None:
    say("\n".join(f"{name} | {line}" for line in _last_lines(name)))
    fail(
        f"{name} {why}. Its last lines are above (all: sh ./scripts/native.sh logs {name}). Fix it and run `up` again."
    )
