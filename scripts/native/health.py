"""Waits until services work, and reports those that do not."""

import contextlib
import time
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

import psutil
import redis

import db
import supervise
from services import SERVICES
from settings import LOGS, Env, fail, last_error, read_ports, say

# After this many exits, a service that is starting is reported as failed.
EXITS = 3
PATIENCE_SECONDS = 180
# A service keeps failing if it has exited twice in RECENT_SECONDS, and was started less than STABLE_SECONDS ago.
RECENT_SECONDS, STABLE_SECONDS = 120, 60


def _connections(service: str) -> list[Any]:
    """Return the TCP connections of all processes of a service."""
    found = []
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(supervise.states()[service]["pid"])
        for process in (top, *top.children(recursive=True)):
            found += process.net_connections("tcp")
    return found


def _worker(env: Env) -> bool:
    """Return whether the worker waits for tasks with BRPOP. Flower also uses BRPOP, so compare the connections."""
    addresses = {f"{each.laddr.ip}:{each.laddr.port}" for each in _connections("celeryworker")}
    with redis.Redis.from_url(env["REDIS_URL"], socket_timeout=2) as broker:
        return any(client["cmd"] == "brpop" and client["addr"] in addresses for client in broker.client_list())


def _beat(env: Env) -> bool:
    """Return whether beat has ticked since it was started. The time of an earlier tick stays in Redis for a minute."""
    with redis.Redis.from_url(env["REDIS_URL"], socket_timeout=2, decode_responses=True) as broker:
        last_tick = broker.get("celerybeat")
    return last_tick is not None and float(str(last_tick)) >= supervise.states()["celerybeat"]["start"]


def _serves(path: str, content_type: str) -> Callable[[Env], bool]:
    def check(_: Env) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{read_ports()['proxy']}{path}", timeout=5) as response:
            return content_type in response.headers.get("Content-Type", "")

    return check


def _listens(name: str) -> Callable[[Env], bool]:
    """Check that the service itself listens on its ports: another program may have taken them before it."""

    def check(_: Env) -> bool:
        chosen = read_ports()
        listening = {each.laddr.port for each in _connections(name) if each.status == psutil.CONN_LISTEN}
        return {chosen[port] for port in SERVICES[name].ports} <= listening

    return check


# Each service comes after the services that it needs.
CHECKS: dict[str, Callable[[Env], bool]] = {
    "db": db.check,
    "redis": _listens("redis"),
    "proxy": _listens("proxy"),
    "backend": _serves("/api/v1/utils/health/live", "application/json"),
    "celeryworker": _worker,
    "celerybeat": _beat,
    "frontend": _serves("/", "text/html"),
    "flower": _listens("flower"),
    "mailcatcher": _listens("mailcatcher"),
    "pgadmin": _listens("pgadmin"),
}


def works(name: str, env: Env) -> bool:
    if supervise.states()[name]["statename"] != "RUNNING":
        return False
    with contextlib.suppress(OSError, redis.RedisError):
        return CHECKS[name](env)
    return False


def wait(names: Iterable[str], env: Env) -> None:
    """Wait until all of these services work. Fails with the reason if one does not."""
    began = progressed = time.time()
    waiting = [name for name in CHECKS if name in names]
    if not set(waiting) <= set(supervise.states()):
        fail("the running stack does not have all services: run down, then up.")
    while waiting:
        states = supervise.states()
        for name in waiting:
            if supervise.exits(name, began) >= EXITS or states[name]["statename"] in ("FATAL", "STOPPED"):
                say("\n".join(f"{name} | {line}" for line in _log(name).splitlines()[-15:]))
                fail(f"{_failure(name, 'does not start')}. Fix it and run `up` again.")
        if works(waiting[0], env):
            progressed = time.time()
            say(f"  {waiting.pop(0)} is up ({progressed - began:.1f} s)")
        elif time.time() - progressed > PATIENCE_SECONDS:
            see = f"sh ./scripts/native.sh logs -f {waiting[0]}"
            fail(f"{waiting[0]} is still starting after {time.time() - began:.0f} s. To follow it: {see}")
        else:
            time.sleep(0.1)


def failing() -> dict[str, str]:
    """Return the services that keep failing, with the reason."""
    found = {}
    for name, info in supervise.states().items():
        is_new = info["now"] - info["start"] < STABLE_SECONDS and info["statename"] in ("STARTING", "RUNNING")
        if info["statename"] in ("BACKOFF", "EXITED", "FATAL") or (
            is_new and supervise.exits(name, time.time() - RECENT_SECONDS) >= 2
        ):
            found[name] = _failure(name, "keeps failing")
    return found


def _failure(name: str, what: str) -> str:
    reason = last_error("\n".join(_log(name).splitlines()[-15:]))
    return f"{name} {what}: {reason} (more: sh ./scripts/native.sh logs {name})"


def _log(name: str) -> str:
    log = LOGS / f"{name}.log"
    return log.read_text(errors="replace") if log.exists() else ""
