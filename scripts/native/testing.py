"""The command native.sh test."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil

import browser
import commands
import db
import frontend
import health
import mailcatcher
import node
import supervise
from environment import environment
from settings import (
    BACKEND,
    DATA,
    FRONTEND,
    PORTS,
    ROOT,
    RUN,
    SCRIPTS,
    STATE,
    TESTING,
    Env,
    fail,
    locked,
    prepare_state,
    read_ports,
    say,
)

E2E_SERVICES = {"db", "redis", "backend", "celeryworker", "celerybeat", "frontend", "proxy", "mailcatcher"}
# Without the mail catcher: the tests of faults have their own mail server, on the same port.
FAULTS_SERVICES = {"db", "redis", "backend", "celeryworker", "celerybeat", "proxy"}
FAULTS = ROOT / "scripts" / "faults"
STOP_SECONDS = 30
INTERRUPTED = 130


def run(arguments: list[str]) -> int:
    """Run the tests, and return the exit status."""
    # Stop the tests, and what was started for them.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    if arguments in ([], ["--skip-e2e"]):
        return _run_all(["backend", "unit", *([] if arguments else ["e2e"])])
    if "--skip-e2e" in arguments:
        fail("--skip-e2e can't be combined with other arguments.")
    kind, rest = (arguments[0], arguments[1:]) if arguments[0] in KINDS else ("backend", arguments)
    return KINDS[kind](rest)


def _run_all(kinds: list[str]) -> int:
    results: dict[str, int] = {}
    for kind in kinds:
        say(f"\n== {kind} tests")
        results[kind] = _run([sys.executable, sys.argv[0], "test", kind], dict(os.environ))
        if results[kind] == INTERRUPTED:
            break
    say("")
    outcomes = {None: "not run", 0: "passed", INTERRUPTED: "interrupted"}
    for kind in ("backend", "unit", "e2e"):
        say(f"{kind + ' tests:':<15}{outcomes.get(results.get(kind), 'failed')}")
    return max(results.values())


def backend(arguments: list[str]) -> int:
    # When pytest runs in several processes, it does not report a missing file.
    if arguments and not arguments[0].startswith("-") and not (BACKEND / arguments[0].partition("::")[0]).exists():
        fail(f"no such tests: {arguments[0]}. Name one of {', '.join(KINDS)}, or a file below {BACKEND}.")
    with _database() as env:
        return _run(["sh", "./tests-start.sh", *arguments], env, cwd=str(BACKEND))


@contextlib.contextmanager
def _database() -> Iterator[dict[str, str]]:
    """Start the database and Redis if they are not running, and stop them again afterwards."""
    needed = {"db", "redis"}
    with contextlib.ExitStack() as lock:
        lock.enter_context(locked(RUN / "lock", commands.BUSY))
        was_up = supervise.pid() is not None
        running = commands.running_services() if was_up else set()
        try:
            if not needed <= running:
                commands.bring_up(needed)
            # A stack that only the tests use stays locked: they stop it when they end.
            if was_up:
                lock.close()
            yield environment(supervise.caller_environment())
        finally:
            if was_up:
                for name in needed - running:
                    supervise.stop_service(name)
            else:
                supervise.stop()


def unit(arguments: list[str]) -> int:
    frontend.install()
    return _npm("test:unit", arguments, os.environ)


def e2e(arguments: list[str]) -> int:
    """Run the browser tests on a separate, empty stack, and remove the stack afterwards."""
    return _in_browser("test:e2e", arguments)


def screenshots(arguments: list[str]) -> int:
    """Take pictures of every view in frontend/screenshots/, on a separate stack."""
    return _in_browser("screenshots", arguments)


def _in_browser(script: str, arguments: list[str]) -> int:
    frontend.install()
    # If arguments select tests, run only these: without --no-deps, Playwright would first run the other project.
    arguments = [*arguments, "--no-deps"] if arguments else []
    # Report unknown tests before starting the stack.
    if arguments:
        status = _npm(script, [*arguments, "--list"], os.environ)
        if status or "--list" in arguments:
            return status
    chromium = browser.executable()
    mailcatcher.prepare({})
    with _separate_stack("the browser tests", E2E_SERVICES) as env:
        health.wait({"mailcatcher"}, env)
        addresses = {"BASE_URL": env["SERVER_HOST"], "MAIL_URL": f"http://localhost:{read_ports()['mail']}"}
        return _npm(script, arguments, {**env, **addresses, "CHROMIUM": chromium})


def lighthouse(arguments: list[str]) -> int:
    """Print Lighthouse's scores of the paths in the arguments, or of three views, on a separate stack."""
    frontend.install()
    folder = STATE / "lighthouse"
    node.install_packages(folder, SCRIPTS / "lighthouse", "Lighthouse (about 20 seconds)")
    chromium = browser.executable()
    script = (SCRIPTS / "lighthouse/run.mjs").read_text()
    paths = arguments or ["/login", "/main/dashboard", "/main/admin/users/all"]
    with _separate_stack("Lighthouse", E2E_SERVICES) as env:
        command = [node.executable(), "--input-type=module", "--eval", script, *paths]
        return _run(command, {**env, "BASE_URL": env["SERVER_HOST"], "CHROMIUM": chromium}, cwd=str(folder))


def faults(arguments: list[str]) -> int:
    """Run the tests of faults on a separate, empty stack, and remove the stack afterwards."""
    pytest = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(FAULTS), *arguments]
    with _separate_stack("the tests of faults", FAULTS_SERVICES) as env:
        return _run(pytest, env)


@contextlib.contextmanager
def _separate_stack(tests: str, services: set[str]) -> Iterator[dict[str, str]]:
    """Start an empty stack beside the development stack, yield its environment, and remove it afterwards."""
    if not TESTING:
        fail(f"{tests} would remove the development stack: add their kind to SEPARATE in main.py.")
    with locked(RUN / "tests.lock", "tests with a separate stack are already running in this clone."):
        try:
            with locked(RUN / "lock", commands.BUSY):
                _remove_stack()
                say(f"Starting a separate stack for {tests} ...")
                commands.bring_up(services)
            yield environment(supervise.caller_environment())
        finally:
            _remove_stack()


def _remove_stack() -> None:
    supervise.stop()
    db.remove_copy()
    shutil.rmtree(DATA, ignore_errors=True)
    PORTS.unlink(missing_ok=True)
    prepare_state()


def _npm(script: str, arguments: list[str], env: Env) -> int:
    command = ["npm", "run", "--silent", script, "--", *arguments]
    return _run(command, {**env, **node.env(env)}, cwd=str(FRONTEND))


def _run(command: list[str], env: dict[str, str], cwd: str | None = None) -> int:
    """Run tests and return their exit status. Signals stop them before this process ends."""
    process = subprocess.Popen(command, cwd=cwd, env=env)
    interrupted = False
    try:
        while True:
            try:
                status = process.wait()
            except KeyboardInterrupt:
                # Ctrl-C also reaches the tests, which then clean up.
                interrupted = True
                continue
            return INTERRUPTED if interrupted else status
    except SystemExit:
        _terminate(process)
        raise


def _terminate(process: subprocess.Popen[bytes]) -> None:
    """Stop the tests and all that they have started, because npm does not forward signals."""
    with contextlib.suppress(psutil.Error):
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.terminate()
        psutil.wait_procs(children, timeout=STOP_SECONDS)
    process.wait()


KINDS: dict[str, Callable[[list[str]], int]] = {
    "backend": backend,
    "unit": unit,
    "e2e": e2e,
    "faults": faults,
    "screenshots": screenshots,
    "lighthouse": lighthouse,
}
