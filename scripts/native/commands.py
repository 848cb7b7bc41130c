"""The commands of native.sh, except test."""

import os
import shutil
import sys
from typing import Any

import db
import health
import logs
import orphans
import ports
import supervise
from environment import PUBLISHED, environment
from services import SERVICES
from settings import DATA, PORTS, ROOT, RUN, SECRETS, fail, locked, read_ports, say

# The other services start after these work, so that they do not compete for the CPU.
CORE = {"db", "redis", "proxy", "backend", "celeryworker", "celerybeat", "frontend"}
BUSY = "another native.sh is changing this stack: try again when it has finished."


def up(arguments: list[str]) -> None:
    detach = _flag(arguments, "-d", "--detach")
    _services(arguments)
    shown = logs.tails(list(SERVICES))
    for log in shown:
        log.skip()
    with locked(RUN / "lock", BUSY):
        was_up = supervise.pid() is not None
        try:
            bring_up(set(SERVICES))
        except BaseException:
            # In the foreground, a stack that this process has started ends with it.
            if not (detach or was_up):
                supervise.stop()
            raise
    try:
        _welcome()
        if detach:
            return
        say("Press Ctrl-C to stop everything.")
        running = supervise.pid()
        logs.follow(shown, lambda: supervise.is_alive(running))
        if orphans.stop():
            fail("the supervisor was killed, so its services were stopped: run `up` again.")
    except KeyboardInterrupt:
        if detach:
            raise
        say("\nStopping ...")
        supervise.stop()
        say("Everything is stopped.")


def bring_up(names: set[str]) -> None:
    """Start the given services that are not running, and wait until those in CORE work."""
    if supervise.pid() is None:
        if orphans.stop():
            say("Stopped processes that an earlier start had left.")
        all_ports = {name: port for service in SERVICES.values() for name, port in service.ports.items()}
        with ports.claimed(all_ports) as claims:
            env = environment()
            db.prepare(env)
            supervise.start(claims)
        missing = names
    else:
        missing = names - running_services()
        say(f"Already up; starting {', '.join(sorted(missing))}." if missing else "Already up.")
        env = environment(supervise.caller_environment())
        if "db" in missing:
            db.prepare(env)
    for name in missing & CORE:
        supervise.start_service(name)
    health.wait(names & CORE, env)
    for name in missing - CORE:
        supervise.start_service(name)


def running_services() -> set[str]:
    return {name for name, info in supervise.states().items() if info["statename"] in supervise.UP}


def _welcome() -> None:
    chosen, env = read_ports(), environment(supervise.caller_environment())
    web = env["SERVER_HOST"]
    # Never print a password that the user has set.
    is_published = env.get("FIRST_SUPERUSER_PASSWORD") == PUBLISHED
    password = f"password {PUBLISHED}" if is_published else "password: FIRST_SUPERUSER_PASSWORD in .env"
    rows = {
        "Web app": web,
        "API": f"{web}/api/",
        "Swagger UI": f"{web}/docs",
        "ReDoc": f"{web}/redoc",
        **{page: f"http://localhost:{chosen[port]}" for each in SERVICES.values() for port, page in each.pages.items()},
        "PostgreSQL": f"localhost:{chosen['db']}, database {env['POSTGRES_DB']}",
        "First login": f"{env.get('FIRST_SUPERUSER', '')}, {password}",
        "Other logins": f"see {os.path.relpath(SECRETS, ROOT)}, then .env",
    }
    say("")
    for name, value in rows.items():
        say(f"  {name:<14}{value}")
    failing = health.failing()
    if starting := [name for name in SERVICES if name not in {*CORE, *failing} and not health.works(name, env)]:
        say(f"  Still starting: {', '.join(starting)}. To see when they run: sh ./scripts/native.sh ps")
    say("\n".join([*failing.values(), ""]))


def ps(arguments: list[str]) -> None:
    _services(arguments)
    states, failing = (supervise.states(), health.failing()) if supervise.pid() else ({}, {})
    chosen = read_ports()
    say(f"{'NAME':<14}{'STATUS':<26}PORTS")
    for name, service in SERVICES.items():
        addresses = ", ".join(f"127.0.0.1:{chosen[port]}" for port in service.ports if port in chosen)
        status = "restarting" if name in failing else _status(name, states.get(name))
        say(f"{name:<14}{status:<26}{addresses}".rstrip())
    for message in failing.values():
        say(message)


def _status(name: str, info: dict[str, Any] | None) -> str:
    if info is None or info["statename"] not in ("RUNNING", "STARTING"):
        return "stopped"
    if not SERVICES[name].is_installed():
        return "installing"
    seconds = max(0, info["now"] - info["start"])
    return f"running {seconds // 60} min" if seconds >= 60 else f"running {seconds} s"


def show_logs(arguments: list[str]) -> None:
    follow = _flag(arguments, "-f", "--follow")
    shown = logs.tails(_services(arguments))
    logs.show(shown)
    if follow:
        running = supervise.pid()
        logs.follow(shown, lambda: supervise.is_alive(running))


def execute(arguments: list[str]) -> None:
    # Ignore Compose's terminal options: the command always uses this terminal.
    while arguments and arguments[0] in ("-T", "-i", "-t", "-it"):
        arguments = arguments[1:]
    if len(arguments) < 2:
        fail("exec needs a service and a command: sh ./scripts/native.sh exec backend bash")
    (name,), command = _services(arguments[:1]), arguments[1:]
    if supervise.pid() is None or name not in running_services():
        fail(f"{name} is not running: sh ./scripts/native.sh up -d")
    env = environment(supervise.caller_environment())
    service = SERVICES[name]
    os.chdir(service.folder)
    try:
        os.execvpe(command[0], command, {**env, **service.env(env)})
    except OSError as error:
        print(f"native.sh: {command[0]}: {error.strerror}", file=sys.stderr)
        raise SystemExit(127 if isinstance(error, FileNotFoundError) else 126) from None


def stop(arguments: list[str]) -> None:
    _restart(arguments, then_start=False)


def start(arguments: list[str]) -> None:
    _restart(arguments, first_stop=False)


def restart(arguments: list[str]) -> None:
    _restart(arguments)


def _restart(arguments: list[str], *, first_stop: bool = True, then_start: bool = True) -> None:
    if supervise.pid() is None:
        fail("nothing is running: sh ./scripts/native.sh up -d")
    names = _services(arguments)
    with locked(RUN / "lock", BUSY):
        if first_stop:
            supervise.stop_services(names)
        if then_start:
            env = environment(supervise.caller_environment())
            if "db" in set(names) - running_services():
                db.prepare(env)
            for name in names:
                supervise.start_service(name)
            health.wait([name for name in names if SERVICES[name].is_installed()], env)


def down(arguments: list[str]) -> None:
    volumes = _flag(arguments, "-v", "--volumes")
    _services(arguments)
    with locked(RUN / "lock", BUSY):
        say("Everything is stopped." if supervise.stop() else "Nothing was running.")
        if volumes:
            db.remove_copy()
            shutil.rmtree(DATA)
            for file in (SECRETS, PORTS):
                file.unlink(missing_ok=True)
            say("The data and the generated passwords are deleted. The installed packages are kept.")


def _flag(arguments: list[str], *names: str) -> bool:
    """Remove an option from the arguments, and return whether it was there."""
    found = [argument for argument in arguments if argument in names]
    for argument in found:
        arguments.remove(argument)
    return bool(found)


def _services(arguments: list[str]) -> list[str]:
    """Return the named services, or all."""
    for name in arguments:
        if name not in SERVICES:
            fail(f"no such service: {name}. There are {', '.join(SERVICES)}.")
    return arguments or list(SERVICES)
