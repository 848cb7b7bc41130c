"""backend/app/scripts/requirements.py, which prints poetry.lock as requirements for pip."""

import subprocess
import sys
from pathlib import Path

import pytest

from settings import BACKEND

PYPROJECT = """
[project]
dependencies = ["some_package[extra] (>=1.0)"]

[dependency-groups]
dev = ["tool", {include-group = "other"}]
"""
LOCK = """
[[package]]
name = "some-package"
version = "1.2"
groups = ["main", "dev"]
files = [{file = "some_package-1.2.tar.gz", hash = "sha256:1"}, {file = "some_package-1.2.whl", hash = "sha256:2"}]

[[package]]
name = "tool"
version = "3.0"
groups = ["dev", "other"]
markers = {dev = "sys_platform == 'linux'", other = "python_version < '3.13'"}
files = [{file = "tool-3.0.whl", hash = "sha256:3"}]

[metadata]
lock-version = "2.1"
"""
SOME_PACKAGE = "some-package==1.2 --hash=sha256:1 --hash=sha256:2\n"


def run(folder: Path, *groups: str, lock: str = LOCK) -> subprocess.CompletedProcess[str]:
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "poetry.lock").write_text(lock)
    command = [sys.executable, str(BACKEND / "scripts" / "requirements.py"), str(folder), *groups]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("groups", "tool"),
    [
        (["main"], ""),
        (["dev"], "tool==3.0 ; (sys_platform == 'linux') --hash=sha256:3\n"),
        ([], "tool==3.0 ; (python_version < '3.13') or (sys_platform == 'linux') --hash=sha256:3\n"),
    ],
)
def test_packages_of_groups_are_printed_with_hashes(tmp_path: Path, groups: list[str], tool: str) -> None:
    assert run(tmp_path, *groups).stdout == SOME_PACKAGE + tool


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('lock-version = "2.1"', 'lock-version = "3.0"', "poetry.lock has version 3.0 instead of 2.1"),
        ('name = "tool"', 'name = "another"', 'poetry.lock lacks tool: run "poetry lock"'),
        (
            'version = "3.0"',
            'version = "3.0"\nsource = {url = "example.git"}',
            "tool comes from example.git: no hashes",
        ),
    ],
)
def test_unusable_lock_file_is_rejected(tmp_path: Path, before: str, after: str, message: str) -> None:
    result = run(tmp_path, lock=LOCK.replace(before, after))
    assert result.returncode == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
