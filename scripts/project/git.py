"""Runs git."""

import os
import subprocess
from pathlib import Path

from settings import ROOT
from workspace import Invalid

REPOSITORY = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX"}


def git(*arguments: str, folder: Path = ROOT, status: int = 0) -> str:
    """Return the output of git. Raises Invalid with the line that reports an error, at a status above `status`."""
    # Messages must be in English, because they are searched. In a hook, these variables would replace the folder.
    env = {name: value for name, value in os.environ.items() if name not in REPOSITORY} | {"LC_ALL": "C"}
    command = ["git", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Invalid("git is not installed.") from None
    if not 0 <= done.returncode <= status:
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
