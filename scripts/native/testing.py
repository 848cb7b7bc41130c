"""native.sh test: which tests there are, and what each kind needs running."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import psutil

import apps
import browser
import commands
import db
import frontend
import health
import node
import supervise
from settings import BACKEND, DATA, PORTS, RUN, environment, fail, locked, prepare_state, read_ports, say

STACK = {"db", "redis", "backend", "celeryworker", "frontend", "proxy", "mailcatcher"}
STOP_SECONDS = 30
NPM_RUN = ("npm", "run", "--silent")
# As a shell says it of Ctrl-C.
INTERRUPTED = 130


def run(words: list[str]) -> int:
    # So that what runs is ended and what was started is stopped.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    if words in ([], ["--skip-e2e"]):
        return _everything(skip_browser=bool(words))
    if "--skip-e2e" in words:
        fail("--skip-e2e is for all tests at once, and goes with no other word.")
    kind, arguments = (words[0], words[1:]) if words[0] in KINDS else ("backend", words)
    return KINDS[kind](arguments)


def _everything(*, skip_browser: bool) -> int:
    """Run every kind, whatever the others did, and say how each ended."""
    kinds = [kind for kind in KINDS if not (skip_browser and kind == "e2e")]
    results: dict[str, int] = {}
    for kind in kinds:
        say(f"\n== {kind} tests")
        results[kind] = _run([sys.executable, sys.argv[0], "test", kind], dict(os.environ))
        if results[kind] == INTERRUPTED:  # Ctrl-C is meant for all of them.
            break
    say("")
    ends = {None: "not run", 0: "passed", INTERRUPTED: "interrupted"}
    for kind in KINDS:
        say(f"{kind + ' tests:':<15}{ends.get(results.get(kind), 'failed')}")
    return max(results.values())


def backend(words: list[str]) -> int:
    # pytest, when it runs in several processes, says nothing of a missing file.
    if words and not words[0].startswith("-") and not (BACKEND / words[0].partition("::")[0]).exists():
        fail(f"no such tests: {words[0]}. Name one of {', '.join(KINDS)}, or a file below {BACKEND}.")
    needed = {"db", "redis"}
    with ExitStack() as lock:
        lock.enter_context(locked(RUN / "lock", commands.BUSY))
        alone = supervise.pid() is None
        before = set() if alone else commands.services_up()
        if not needed <= before:
            commands.bring_up(needed, bound=True)
        if not alone:
            lock.close()
        try:
            env = environment(supervise.caller_environment())
            return _run(["sh", "./tests-start.sh", *words], env, cwd=str(BACKEND))
        finally:
            if alone:
                supervise.stop()
            else:
                for name in needed - before:
                    supervise.stop_service(name)


def unit(words: list[str]) -> int:
    frontend.install()
    return _npm("test:unit", words, os.environ)


def e2e(words: list[str]) -> int:
    """Run the browser tests on a stack of their own, whose data are gone before and after."""
    frontend.install()
    # Before anything is started: a name that no test has is an error at once.
    projects = _named_projects(words)
    with locked(RUN / "tests.lock", "the browser tests are running in this clone already."):
        chromium = browser.executable()
        apps.install_mailcatcher()
        try:
            with locked(RUN / "lock", commands.BUSY):
                _remove()
                say("Starting a stack for the browser tests, with data of its own ...")
                commands.bring_up(STACK, bound=True)
            env = environment(supervise.caller_environment())
            mail = f"http://localhost:{read_ports()['mail']}"
            health.wait({"mailcatcher"}, env)
            addresses = {"BASE_URL": env["SERVER_HOST"], "MAIL_URL": mail, "CHROMIUM": chromium}
            return _run_projects(projects, words, {**env, **addresses})
        finally:
            _remove()


def _named_projects(words: list[str]) -> list[str]:
    """Return the Playwright projects with tests that the words name, in the order of their configuration."""
    command = [*NPM_RUN, "test:e2e", "--", *words, "--list", "--reporter=list"]
    env = {**os.environ, **node.env(os.environ)}
    done = subprocess.run(command, cwd=frontend.FOLDER, env=env, stdout=subprocess.PIPE, text=True, check=False)
    projects = list(dict.fromkeys(re.findall(r"^ +\[(\w+)\] ", done.stdout, re.MULTILINE)))
    if done.returncode or not projects or "--list" in words:
        say(done.stdout.rstrip())
        sys.exit(done.returncode)
    return projects


def _run_projects(projects: list[str], words: list[str], env: Mapping[str, str]) -> int:
    """Run one project after the other: a dependency between them would run more than what is named."""
    for project in projects:
        if status := _npm("test:e2e", [*words, f"--project={project}"], env):
            return status
    return 0


def _remove() -> None:
    supervise.stop()
    db.remove_copy()
    shutil.rmtree(DATA, ignore_errors=True)
    PORTS.unlink(missing_ok=True)
    prepare_state()


def _npm(script: str, words: list[str], env: Mapping[str, str]) -> int:
    command = [*NPM_RUN, script, "--", *words]
    return _run(command, {**env, **node.env(env)}, cwd=str(frontend.FOLDER))


def _run(command: list[str], env: dict[str, str], cwd: str | None = None) -> int:
    process = subprocess.Popen(command, cwd=cwd, env=env)
    interrupted = False
    try:
        while True:
            try:
                status = process.wait()
            except KeyboardInterrupt:
                # The tests have it too, and end in their own time.
                interrupted = True
                continue
            return INTERRUPTED if interrupted else status if status >= 0 else 128 - status
    except SystemExit:
        _end(process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the tests and what they started: npm passes no signal on."""
    with contextlib.suppress(psutil.Error):
        started = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        for child in started:
            with contextlib.suppress(psutil.Error):
                child.terminate()
        psutil.wait_procs(started, timeout=STOP_SECONDS)
    process.wait()


KINDS: dict[str, Callable[[list[str]], int]] = {"backend": backend, "unit": unit, "e2e": e2e}
