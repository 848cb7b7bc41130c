"""Runs git."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from settings import ROOT
from workspace import Invalid


def git(*arguments: str, folder: Path = ROOT, env: Mapping[str, str] | None = None, stdin: str = "") -> str:
    """Return the output of git. Raises Invalid with the line that reports the error."""
    # The messages are read, so they must be in English. In a hook, GIT_DIR would replace the folder.
    outer = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    outer |= {"LC_ALL": "C", **(env or {})}
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=folder, env=outer, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith(("fatal:", "error:"))]
        raise Invalid(f"git {arguments[0]} failed: {(errors or lines or ['no reason given'])[0]}")
    return done.stdout.strip()


def succeeds(*arguments: str, folder: Path = ROOT) -> bool:
    try:
        git(*arguments, folder=folder)
    except Invalid:
        return False
    return True
