"""The verbs of native.sh."""

import os
import shutil
import signal
import sys
import time
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
from settings import DATA, PORTS, RUN, environment, fail, locked, read_ports, say

# The start waits for these; the rest begins when they are up, not to be in their way.
CORE = set(health.CHECKS)
LATER = set(SERVICES) - CORE
BUSY = "another native.sh is at work on this clone's stack: try again when it is done."


def up(args: Namespace) -> None:
    shown = logs.Logs([] if args.detach else list(SERVICES), from_end=True)
    bound = not args.detach and supervise.pid() is None
    # SIGINT too: a shell starts what stands before "&" with that one ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with locked(RUN / "lock", BUSY):
            bring_up(CORE | LATER, bound=bound, meanwhile=shown.show)
        shown.show()
        _welcome()
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


def bring_up(names: set[str], *, bound: bool, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Start what is not running of these services, and wait for it."""
    if supervise.pid() is None:
        if strays.end():
            say("Ended what an earlier start had left running.")
        with ports.turn():
            ports.choose(_ports_of(names))
            env = environment()
            db.prepare(env)
            supervise.start(names & CORE, bound=bound)
            try:
                health.wait(names & CORE, env, meanwhile)
            except BaseException:
                supervise.stop()
                raise
            _start_later(names & LATER)
        return
    missing = names - services_up()
    chosen = read_ports()
    ports.choose({name: usual for name, usual in _ports_of(missing).items() if name not in chosen})
    say(f"Already up; starting {', '.join(sorted(missing))}." if missing else "Already up.")
    env = environment(supervise.caller_environment())
    db.prepare(env)
    for name in missing & CORE:
        supervise.start_service(name)
    health.wait(names & CORE, env, meanwhile)
    _start_later(missing & LATER)


def services_up() -> set[str]:
    return {name for name, info in supervise.states().items() if info["statename"] in supervise.UP}


def _start_later(names: set[str]) -> None:
    for name in names:
        supervise.start_service(name)
        # It takes its ports before it installs itself; only then may another clone choose.
        end, chosen = time.monotonic() + 3, [read_ports()[port] for port in SERVICES[name].ports]
        while not _is_installed(name) and all(map(ports.is_free, chosen)) and time.monotonic() < end:
            time.sleep(0.05)


def _ports_of(names: set[str]) -> dict[str, int]:
    return {port: usual for name, service in SERVICES.items() if name in names for port, usual in service.ports.items()}


def _is_installed(name: str) -> bool:
    installed = SERVICES[name].installed
    return installed is None or installed()


def _welcome() -> None:
    chosen, env = read_ports(), environment(supervise.caller_environment())
    web = env["SERVER_HOST"]
    rows = {
        "App": web,
        "API, docs": f"{web}/docs",
        "API, ReDoc": f"{web}/redoc",
        **{text: f"http://localhost:{chosen[port]}" for service in SERVICES.values() for port, text in service.pages},
        "PostgreSQL": f"localhost:{chosen['db']}, database {env['POSTGRES_DB']}",
        "First login": f"{env.get('FIRST_SUPERUSER', '')}, {_password(env)}",
    }
    say("")
    for name, value in rows.items():
        say(f"  {name:<14}{value}")
    starting = []
    for name, service in SERVICES.items():
        if not _is_installed(name):
            say(f"  {name} is being installed in the background: sh ./scripts/native.sh logs -f {name}")
        else:
            starting += [text for port, text in service.pages if ports.is_free(chosen[port])]
    if starting:
        say(f"  A few seconds more until these answer: {', '.join(starting)}")
    say("")


def _password(env: Mapping[str, str]) -> str:
    # Anything but the published default is a secret, and screens are shared.
    if env.get("FIRST_SUPERUSER_PASSWORD") == "changethis":
        return "password changethis"
    return "password: FIRST_SUPERUSER_PASSWORD in .env"


def ps(_: Namespace) -> None:
    states = supervise.states() if supervise.pid() else {}
    chosen = read_ports()
    say(f"{'NAME':<14}{'STATUS':<26}PORTS")
    for name, service in SERVICES.items():
        bound = ", ".join(f"127.0.0.1:{chosen[port]}" for port in service.ports if port in chosen)
        say(f"{name:<14}{_status(name, states.get(name)):<26}{bound}".rstrip())


def _status(name: str, info: dict[str, Any] | None) -> str:
    if info is None or info["statename"] == "STOPPED":
        return "stopped"
    if info["statename"] in ("RUNNING", "STARTING"):
        if not _is_installed(name):
            return "installing"
        seconds = max(0, info["now"] - info["start"])
        return f"running {seconds // 60} min" if seconds >= 60 else f"running {seconds} s"
    return "restarting" if info["statename"] == "BACKOFF" else f"exited ({info['exitstatus']})"


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
    for name in names:
        supervise.start_service(name)
    health.wait(names, environment(supervise.caller_environment()))


def down(args: Namespace) -> None:
    with locked(RUN / "lock", BUSY):
        say("Everything is stopped." if supervise.stop() else "Nothing was running.")
        if args.volumes:
            shutil.rmtree(DATA)
            PORTS.unlink(missing_ok=True)
            say("The data are removed; the installed packages stay.")
