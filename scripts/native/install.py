"""Installs the stack's packages, each set in an environment of its own, from locks with every hash checked."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from settings import BACKEND, LOGS, STATE, call, fail, locked, say

REQUIREMENTS = BACKEND / "scripts" / "requirements.py"


class Mark(NamedTuple):
    """What an environment holds; written last, so that an interrupted installation has none."""

    # Scripts in an environment hold its path: a moved clone needs a new one.
    base: str
    lock: str
    groups: frozenset[str]


def backend(*extra: str) -> None:
    _ensure("venv", BACKEND, ("main", "native", *extra), "the backend and its services (about half a minute)")


def node() -> None:
    _ensure("node", BACKEND, ("node",), "Node.js (about 10 seconds)")


def pgadmin(project: Path) -> None:
    _ensure("pgadmin", project, ("main",), "pgAdmin (about a minute)")


def ready(name: str = "venv") -> bool:
    return (STATE / name / "installed").exists()


def _ensure(name: str, project: Path, groups: tuple[str, ...], what: str) -> None:
    folder = STATE / name
    digest = hashlib.sha256((project / "poetry.lock").read_bytes()).hexdigest()
    want = Mark(f"{sys.version_info[0]}.{sys.version_info[1]} {folder}", digest, frozenset(groups))

    def missing() -> bool:
        have = _read(folder)
        return have is None or have[:2] != want[:2] or not want.groups <= have.groups

    if missing():
        # Two services may want the same set at once.
        with locked(STATE / f"{name}.lock"):
            if missing():
                listed = STATE / f"{name}-requirements.txt"
                listed.write_bytes(_requirements(project, groups))
                say(f"Installing {what} ...")
                _install(folder, listed, want)


def _read(folder: Path) -> Mark | None:
    try:
        base, lock, groups = (folder / "installed").read_text().splitlines()
    except (OSError, ValueError):
        return None
    return Mark(base, lock, frozenset(groups.split()))


def _requirements(project: Path, groups: tuple[str, ...]) -> bytes:
    done = call([sys.executable, str(REQUIREMENTS), str(project), *groups], capture_output=True)
    if done.returncode:
        fail(_last_line(done.stderr))
    return done.stdout


def _install(folder: Path, listed: Path, want: Mark) -> None:
    have = _read(folder)
    # Without its mark the last installation was cut short, and pip would take half a package for a whole one.
    if have is None or have.base != want.base:
        _create(folder)
    mark = folder / "installed"
    mark.unlink(missing_ok=True)
    python, log = str(folder / "bin/python"), LOGS / f"install-{folder.name}.log"
    pip = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile"]
    # pip compiles on one core; some packages hold templates that don't compile and need not.
    compile_all = [python, "-m", "compileall", "-q", "-j", "0", str(folder / "lib")]
    with log.open("wb") as output:
        command = [*pip, "--no-deps", "--require-hashes", "-r", str(listed)]
        env = {**os.environ, "PIP_USER": "0"}
        done = call(command, stdout=output, stderr=subprocess.STDOUT, env=env)
        if done.returncode:
            why = _last_line(log.read_bytes())
            if "No space left" in why:
                fail("the disk is full: free some space and run this again.")
            fail(f"packages can't be installed: {why} (is the package index reachable? pip's words: {log})")
        call(compile_all, stdout=output, stderr=subprocess.STDOUT)
    part = folder / "installed.part"
    part.write_text(f"{want.base}\n{want.lock}\n{' '.join(sorted(want.groups))}\n")
    part.rename(mark)


def _create(folder: Path) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        fail(f"this Python can't make virtual environments: apt-get install python3.{sys.version_info[1]}-venv")
    shutil.rmtree(folder, ignore_errors=True)
    # This process may itself run in the environment that is made anew.
    python = getattr(sys, "_base_executable", sys.executable)
    done = call([python, "-m", "venv", str(folder)], capture_output=True)
    if done.returncode:
        fail(f"{folder} can't be made: {_last_line(done.stdout + done.stderr)}")


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["it gave no reason"])[-1]
