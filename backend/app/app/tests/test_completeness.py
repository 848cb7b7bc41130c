"""Tests of utils/completeness.py: a run fails if a collected test is not reported."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.tests.utils.worker import BACKEND

CONFTEST = "from app.tests.utils.completeness import *"

LOSE_A_TEST = """
def pytest_runtest_protocol(item):
    return True if item.name == "test_lost" else None
"""

TESTS = """
def test_run(): assert True
def test_lost(): assert True
"""

SHARE_AN_ID = """
def pytest_collection_modifyitems(items):
    items.append(items[0])
"""

PROCESSES = pytest.mark.parametrize("processes", ["0", "2"])


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist", f"--rootdir={folder}", *arguments],
        cwd=folder,
        # Importing other plugins would take longer than the run itself.
        env={"PYTHONPATH": str(BACKEND), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@PROCESSES
def test_unreported_test_fails_the_run(tmp_path: Path, processes: str) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST + LOSE_A_TEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    result = run(tmp_path, "-n", processes)
    assert "collected but not reported: test_it.py::test_lost" in result.stdout
    assert result.returncode == pytest.ExitCode.TESTS_FAILED


def test_stopped_run_reports_no_missing_tests(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    failing = "def test_fails(): assert False\n"
    (tmp_path / "test_it.py").write_text(failing + TESTS)
    result = run(tmp_path, "-n", "1", "--maxfail=1")
    assert "1 failed" in result.stdout
    assert result.returncode == pytest.ExitCode.INTERRUPTED
    assert "collected but not reported" not in result.stdout


@PROCESSES
def test_duplicate_test_ids_are_rejected(tmp_path: Path, processes: str) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST + SHARE_AN_ID)
    (tmp_path / "test_it.py").write_text(TESTS)
    result = run(tmp_path, "-n", processes)
    assert "two tests share the id test_it.py::test_run" in result.stdout + result.stderr
    assert result.returncode not in (0, pytest.ExitCode.TESTS_FAILED)
