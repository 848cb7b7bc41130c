"""Runs commands on a copy of the project."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import httpx2
from dotenv import dotenv_values

ROOT = Path(__file__).parents[2]
TITLE = str(dotenv_values(ROOT / "frontend" / ".env")["VUE_APP_NAME"])
DEFAULTS = {name: value or "" for name, value in dotenv_values(ROOT / ".env").items()}
IMAGES = ("backend", "celeryworker", "frontend")
# The owner of the copy. If root runs the tests, the owner is an ordinary user.
OWNER = os.geteuid() or 1000
T = TypeVar("T")
# A program for the backend's container. It prints the number of connections to port 80.
OPEN_CONNECTIONS = """
rows = [line.split() for line in open("/proc/net/tcp")]
print(sum(row[1].endswith(":0050") and row[3] == "01" for row in rows))
"""


class Stack:
    """A copy of the project in a folder, and the environment of its commands."""

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.env = {**os.environ, **(env or {})}
        if not folder.exists():
            self._copy()

    def _copy(self) -> None:
        listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        for name in subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0"):
            if name and (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                subprocess.run(["cp", "-p", str(ROOT / name), str(self.folder / name)], check=True)
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{OWNER}:{OWNER}", str(self.folder)], check=True)

    def run(self, *command: str, env: Mapping[str, str] | None = None, seconds: float = 400) -> str:
        """Return the output of a command. A failing command fails the test."""
        code, output = self.outcome(*command, env=env, seconds=seconds)
        assert code == 0, f"{' '.join(command)} ended with {code}:\n{output[-4000:]}"
        return output

    def outcome(self, *command: str, env: Mapping[str, str] | None = None, seconds: float = 400) -> tuple[int, str]:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=seconds,
        )
        return done.returncode, done.stdout

    def compose(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        return self.run("docker", "compose", *words, env=env)

    def execute(self, *words: str, service: str = "backend") -> str:
        return self.compose("exec", "-T", service, *words)

    def beside(self, service: str, program: str, *arguments: str) -> str:
        """Run a Python program in the network of a service, but in another image: the service may have no Python."""
        network = f"container:{self.compose('ps', '--quiet', service).strip()}"
        python = ["docker", "run", "--rm", "--network", network, "python:3.13-slim", "python", "-c", program]
        return self.run(*python, *arguments)

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert len(re.findall(old, text, re.MULTILINE)) == 1, f"{old} in {file}"
        path.write_text(re.sub(old, new, text, flags=re.MULTILINE))


def eventually(check: Callable[[], T | None], seconds: float = 90) -> T:
    """Return the result of `check` once it is truthy. Until then, `check` may raise."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if result := check():
                return result
        except (httpx2.HTTPError, OSError, AssertionError):
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.2)


def proxy_closes_first(request: Callable[[], object], open_connections: Callable[[], int]) -> bool:
    """Return whether connections to the backend are closed within 5 seconds of a request.

    After 5 seconds the backend would close them itself. A request at that moment would fail with a 502.
    """
    began = time.monotonic()
    request()
    time.sleep(3.5)
    return open_connections() == 0 and time.monotonic() - began < 5
