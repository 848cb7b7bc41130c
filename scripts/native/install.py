"""Installs sets of Python packages from poetry.lock, each in its own virtual environment. Checks every hash."""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from settings import BACKEND, LOGS, SCRIPTS, STATE, call, fail, last_error, locked, say, write_private

REQUIREMENTS = BACKEND / "scripts" / "requirements.py"


def backend(*groups: str) -> None:
    _install("venv", BACKEND, {"main", "native", *groups}, "the backend and its services (about half a minute)")


def node() -> None:
    _install("node", BACKEND, {"node"}, "Node.js (about 10 seconds)")


def pgadmin() -> None:
    _install("pgadmin", SCRIPTS / "pgadmin", {"main"}, "pgAdmin (about a minute)")


def is_installed(name: str = "venv") -> bool:
    return _mark(name).exists()


def _mark(name: str) -> Path:
    # Written last, so that an interrupted installation is repeated.
    return STATE / name / "installed"


def _install(name: str, project: Path, groups: set[str], what: str) -> None:
    folder, mark = STATE / name, _mark(name)
    # Programs of a virtual environment contain its path, so a moved clone needs a new environment.
    base = f"{sys.version_info[0]}.{sys.version_info[1]} {folder}"
    lock = hashlib.sha256((project / "poetry.lock").read_bytes()).hexdigest()
    # Two services may need the same set.
    with locked(STATE / f"{name}.lock"):
        try:
            installed = json.loads(mark.read_text())
        except (OSError, ValueError):
            installed = {}
        if installed.get("base") != base:
            installed = {}
        # Keep groups that were installed before, such as dev.
        groups = groups | set(installed.get("groups", []))
        wanted = {"base": base, "lock": lock, "groups": sorted(groups)}
        if all(installed.get(key) == value for key, value in wanted.items()):
            return
        requirements = _requirements(project, groups)
        wanted["requirements"] = hashlib.sha256(requirements.encode()).hexdigest()
        # Another set of the same lock may have changed.
        if installed.get("requirements") != wanted["requirements"]:
            say(f"Installing {what} ...")
            if not installed:
                _create(folder)
            mark.unlink(missing_ok=True)
            _pip_install(folder, requirements)
        write_private(mark, json.dumps(wanted))


def _create(folder: Path) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        fail(f"this Python has no venv: apt-get install python3.{sys.version_info[1]}-venv")
    shutil.rmtree(folder, ignore_errors=True)
    # Use the base Python, because this process may run in the virtual environment that is being replaced.
    python = getattr(sys, "_base_executable", sys.executable)
    done = call([python, "-m", "venv", str(folder)], capture_output=True)
    if done.returncode:
        fail(f"{folder} can't be created: {last_error(done.stdout + done.stderr)}")


def _requirements(project: Path, groups: set[str]) -> str:
    """Return the packages of the groups, as pip reads them."""
    listed = call([sys.executable, str(REQUIREMENTS), str(project), *sorted(groups)], capture_output=True)
    if listed.returncode:
        fail(last_error(listed.stderr))
    return listed.stdout


def _pip_install(folder: Path, requirements: str) -> None:
    file, log = STATE / f"{folder.name}-requirements.txt", LOGS / f"install-{folder.name}.log"
    file.write_text(requirements)
    python = str(folder / "bin/python")
    pip = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile"]
    with log.open("w") as output:
        command = [*pip, "--no-deps", "--require-hashes", "-r", str(file)]
        done = call(command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "PIP_USER": "0"})
        if not done.returncode:
            # Compile on all cores; pip would use one. Ignore errors: some packages contain templates, not valid Python.
            call([python, "-m", "compileall", "-q", "-j", "0", str(folder / "lib")], stdout=output, stderr=output)
            return
    reason = last_error(log.read_text(errors="replace"))
    if "No space left" in reason:
        fail("the disk is full: free some space and run this again.")
    fail(f"packages can't be installed: {reason} (is the package index reachable? Log of pip: {log})")
