"""Waits until the services do their work, and says why one doesn't."""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping

import redis

import db
import supervise
from settings import LOGS, fail, read_ports, say

SECONDS = 60
LIVE = "/api/v1/utils/health/live"
# A service that was started more often than this has a lasting reason to fail.
STARTS = 3


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
    try:
        with redis.Redis.from_url(env["REDIS_URL"], socket_timeout=2) as broker:
            # A worker that waits for jobs does it with this command; the tests' own is on another number.
            return any(client["cmd"] == "brpop" and client["db"] == "0" for client in broker.client_list())
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


CHECKS: dict[str, Callable[[Mapping[str, str]], bool]] = {
    "db": db.check,
    "redis": _answers("redis"),
    "proxy": _answers("proxy"),
    "backend": _backend,
    "celeryworker": _worker,
    "frontend": _frontend,
}


def wait(names: Iterable[str], env: Mapping[str, str], meanwhile: Callable[[], None] = lambda: None) -> None:
    began = time.monotonic()
    starts: dict[str, set[int]] = {}
    waiting = [name for name in CHECKS if name in names]
    if not set(waiting) <= set(supervise.states()):
        fail("there are services that were not there at the last start: run down, then up.")
    while waiting:
        if CHECKS[waiting[0]](env):
            say(f"  {waiting.pop(0)} is up ({time.monotonic() - began:.1f} s)")
            continue
        states = supervise.states()
        for name in waiting:
            starts.setdefault(name, set()).add(states[name]["start"])
            if len(starts[name]) > STARTS:
                _give_up(name, "does not start")
        if time.monotonic() - began > SECONDS:
            _give_up(waiting[0], f"is not up after {SECONDS} seconds")
        meanwhile()
        time.sleep(0.1)


def _give_up(name: str, why: str) -> None:
    log = LOGS / f"{name}.log"
    lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
    say("\n".join(f"{name} | {line}" for line in lines))
    fail(f"{name} {why}: its last lines are above, all of them in {log}. Mend that and run up again.")
