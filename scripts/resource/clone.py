"""Runs commands in a clone of the project."""

import os
import subprocess
from pathlib import Path

from settings import ROOT


class Clone:
    """A clone in a folder."""

    def __init__(self, folder: Path, source: Path = ROOT) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "--quiet", source, folder], check=True)
        self.run("git config user.name Test && git config user.email test@example.com")

    def run(self, script: str, *, status: int | None = 0, stdin: str = "") -> str:
        """Return the output of a shell script, and check its status, unless that is None."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTEST"))}
        done = subprocess.run(
            ["sh", "-ec", script],
            cwd=self.folder,
            env=env,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        print(f"$ {script}\n{output}")
        assert status is None or done.returncode == status, output[-3000:]
        return output

    def commit(self) -> None:
        self.run("git add --all && git commit --quiet --allow-empty --message Change")

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def edit(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text, text
        (self.folder / path).write_text(text.replace(old, new))
