"""The browser of the tests: the machine's, else one from npm."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import node
from settings import SCRIPTS, STATE, fail

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FOLDER = STATE / "browser"
# Unpacks the package's browser below TMPDIR, with the libraries that a bare machine lacks.
UNPACK = """
const { default: chromium } = await import('@sparticuz/chromium')
const path = await chromium.executablePath()
const { LD_LIBRARY_PATH, FONTCONFIG_PATH } = process.env
console.log(JSON.stringify({ path, LD_LIBRARY_PATH, FONTCONFIG_PATH }))
"""


def executable() -> str:
    """The path of a browser that starts. Fails where there is none."""
    given = os.environ.get("CHROMIUM")
    for candidate in [given] if given else [*NAMES, *MACOS]:
        path = shutil.which(candidate)
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


def _starts(path: str) -> bool:
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _from_npm() -> str:
    node.install_packages(FOLDER, SCRIPTS / "browser", "a browser for the tests (about 15 seconds)")
    wrapper = FOLDER / "chromium"
    if not (wrapper.exists() and _starts(str(wrapper))):
        unpacked = FOLDER / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        unpacked.mkdir()
        # By this the package knows that it has to bring the libraries too.
        env = {**os.environ, "TMPDIR": str(unpacked), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x"}
        command = [node.executable(), "--input-type=module", "--eval", UNPACK]
        done = subprocess.run(command, cwd=FOLDER, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            fail(f"the browser from npm can't be unpacked: {done.stderr.strip()[-300:]}")
        _write_wrapper(wrapper, json.loads(done.stdout))
        if not _starts(str(wrapper)):
            fail(f"the browser from npm does not start ({wrapper} --version): apt-get install chromium")
    return str(wrapper)


def _write_wrapper(wrapper: Path, unpacked: dict[str, str]) -> None:
    """The libraries are for the browser alone."""
    path = unpacked.pop("path")
    names = [f"{name}='{value}'" for name, value in unpacked.items() if value]
    wrapper.write_text(f"#!/bin/sh\nexport {' '.join(names)}\nexec '{path}' \"$@\"\n")
    wrapper.chmod(0o755)
