"""The verbs of native.sh."""

import os
import shlex
import shutil
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import db
import health
import logs
import ports
import strays
import supervise
from services import SERVICES
from settings import DATA, PORTS, ROOT, RUN, SECRETS, environment, fail, locked, read_ports, say

# The rest begins when these are up, not to be in their way.
CORE = {"db", "redis", "proxy", "backend", "celeryworker", "frontend"}
PORTS_OF_ALL = {port: usual for service in SERVICES.values() for port, usual in service.ports.items()}
BUSY = "another native.sh is at work on this clone's stack: try again when it is done."


def up(args: Namespace) -> None:
    shown = logs.Logs([] if args.detach else list(SERVICES), from_end=True)
    bound = not args.detach and supervise.pid() is None
    # SIGINT too: a shell starts what stands before "&" with that one ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with locked(RUN / "lock", BUSY):
            started = bring_up(set(SERVICES), bound=bound, meanwhile=shown.show)
        shown.show()
        _welcome(started)
        if args.detach:
            return
        say("Press Ctrl-C to stop everything.")
        running = supervise.pid()
        shown.follow(lambda: supervise.is_alive(running))
        if strays.end():
            fail("the supervisor was killed, and its services ended with it: run up again.")
    except KeyboardInterrupt:
        if args.detach:
            raise
        say("\nStopping ...")
        supervise.stop()
        say("Everything is stopped.")


def bring_up(names: set[str], *, bound: bool, meanwhile: Callable[[], None] = lambda: None) -> set[str]:
    """Start what is not running of these services, wait for it, and return its names."""
    if supervise.pid() is None:
        if strays.end():
            say("Ended what an earlier start had left running.")
        with ports.claimed(PORTS_OF_ALL) as claims:
            env = environment()
            db.prepare(env)
            supervise.start(names & CORE, claims, bound=bound)
        try:
            health.wait(names & CORE, env, meanwhile)
        except BaseException:
            supervise.stop()
            raise
        _start_later(names - CORE, env)
        return names
    missing = names - services_up()
    say(f"Already up; starting {', '.join(sorted(missing))}." if missing else "Already up.")
    env = environment(supervise.caller_environment())
    if "db" in missing:
        db.prepare(env)
    for name in missing & CORE:
        supervise.start_service(name)
    health.wait(names & CORE, env, meanwhile)
    _start_later(missing - CORE, env)
    return missing


def _start_later(names: set[str], env: Mapping[str, str]) -> None:
    for name in names:
        supervise.start_service(name)
    # What installs itself takes a minute: logs and ps show how it goes.
    health.settle([name for name in names if _is_installed(name)], env)


def services_up() -> set[str]:
    return {name for name, info in supervise.states().items() if info["statename"] in supervise.UP}


def _is_installed(name: str) -> bool:
    installed = SERVICES[name].installed
    return installed is None or installed()


def _welcome(started: set[str]) -> None:
    chosen, env = read_ports(), environment(supervise.caller_environment())
    web = env["SERVER_HOST"]
    rows = {
        "App": web,
        "API, docs": f"{web}/docs",
        "API, ReDoc": f"{web}/redoc",
        **{text: f"http://localhost:{chosen[port]}" for service in SERVICES.values() for port, text in service.pages},
        "PostgreSQL": f"localhost:{chosen['db']}, database {env['POSTGRES_DB']}",
        "First login": f"{env.get('FIRST_SUPERUSER', '')}, {_password(env)}",
        "Other logins": f"cat {shlex.quote(os.path.relpath(SECRETS, ROOT))} (what it does not have is in .env)",
    }
    say("")
    for name, value in rows.items():
        say(f"  {name:<14}{value}")
    failing = health.failing(started - CORE)
    starting = []
    for name, service in SERVICES.items():
        if name in failing:
            say(f"  {failing[name]}")
        elif not _is_installed(name):
            say(f"  {name} is being installed in the background: sh ./scripts/native.sh logs -f {name}")
        elif not health.CHECKS[name](env):
            starting += [text for _, text in service.pages]
    if starting:
        say(f"  A few seconds more until these respond: {', '.join(starting)}")
    say("")


def _password(env: Mapping[str, str]) -> str:
    # Anything but the published default is a secret, and screens are shared.
    if env.get("FIRST_SUPERUSER_PASSWORD") == "changethis":
        return "password changethis"
    return "password: FIRST_SUPERUSER_PASSWORD in .env"


def ps(_: Namespace) -> None:
    running = supervise.pid() is not None
    states = supervise.states() if running else {}
    failing = health.failing() if running else {}
    chosen = read_ports()
    say(f"{'NAME':<14}{'STATUS':<26}PORTS")
    for name, service in SERVICES.items():
        bound = ", ".join(f"127.0.0.1:{chosen[port]}" for port in service.ports if port in chosen)
        status = "restarting" if name in failing else _status(name, states.get(name))
        say(f"{name:<14}{status:<26}{bound}".rstrip())
    for line in failing.values():
        say(line)


def _status(name: str, info: dict[str, Any] | None) -> str:
    if info is None or info["statename"] not in ("RUNNING", "STARTING"):
        return "stopped"
    if not _is_installed(name):
        return "installing"
    seconds = max(0, info["now"] - info["start"])
    return f"running {seconds // 60} min" if seconds >= 60 else f"running {seconds} s"


def show_logs(args: Namespace) -> None:
    names = _known(args.services) or list(SERVICES)
    shown = logs.Logs(names)
    shown.show()
    if args.follow:
        running = supervise.pid()
        shown.follow(lambda: supervise.is_alive(running))


def _known(names: list[str]) -> list[str]:
    for name in names:
        if name not in SERVICES:
            fail(f"no such service: {name}. There are {', '.join(SERVICES)}.")
    return names


def execute(words: list[str]) -> None:
    # Compose's flags for a terminal: here it is always passed through.
    while words and words[0] in ("-T", "-i", "-t", "-it"):
        words = words[1:]
    if len(words) < 2:
        fail("exec wants a service and a command: sh ./scripts/native.sh exec backend bash")
    (name,), command = _known(words[:1]), words[1:]
    if supervise.pid() is None or name not in services_up():
        fail(f"{name} is not running: sh ./scripts/native.sh up -d")
    env = environment(supervise.caller_environment())
    service = SERVICES[name]
    os.chdir(service.folder)
    try:
        os.execvpe(command[0], command, {**env, **service.env(env)})
    except OSError as error:
        print(f"native.sh: {command[0]}: {error.strerror}", file=sys.stderr)
        raise SystemExit(127 if isinstance(error, FileNotFoundError) else 126) from None


def stop(args: Namespace) -> None:
    with _services(args) as names:
        _stop(names)


def start(args: Namespace) -> None:
    with _services(args) as names:
        _start(names)


def restart(args: Namespace) -> None:
    with _services(args) as names:
        _stop(names)
        _start(names)


@contextmanager
def _services(args: Namespace) -> Iterator[list[str]]:
    if supervise.pid() is None:
        fail("nothing is running: sh ./scripts/native.sh up -d")
    with locked(RUN / "lock", BUSY):
        yield _known(args.services) or list(SERVICES)


def _stop(names: list[str]) -> None:
    for name in names:
        supervise.stop_service(name)


def _start(names: list[str]) -> None:
    env = environment(supervise.caller_environment())
    if "db" in set(names) - services_up():
        db.prepare(env)
    for name in names:
        supervise.start_service(name)
    health.wait(set(names) & CORE, env)
    health.settle([name for name in set(names) - CORE if _is_installed(name)], env)
    failing = health.failing(set(names) - CORE)
    if problems := [failing[name] for name in names if name in failing]:
        fail("\n".join(problems))


def down(args: Namespace) -> None:
    with locked(RUN / "lock", BUSY):
        say("Everything is stopped." if supervise.stop() else "Nothing was running.")
        if args.volumes:
            db.remove_copy()
            shutil.rmtree(DATA)
            SECRETS.unlink(missing_ok=True)
            PORTS.unlink(missing_ok=True)
            say("The data are removed; the installed packages stay.")
