"""Pytest hooks that fail a run if a collected test was not reported."""

from collections import Counter
from collections.abc import Sequence

import pytest

__all__ = [
    "pytest_collection_finish",
    "pytest_runtest_logreport",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_xdist_node_collection_finished",
]

collected: set[str] = set()
reported: set[str] = set()


def record_ids(ids: Sequence[str]) -> None:
    """Record collected tests. Reject duplicate ids: pytest-xdist would run only one of them."""
    shared = [nodeid for nodeid, number in Counter(ids).items() if number > 1]
    if shared:
        pytest.exit(f"two tests share the id {shared[0]}", pytest.ExitCode.USAGE_ERROR)
    collected.update(ids)


def is_worker(config: pytest.Config) -> bool:
    """Return whether pytest-xdist started this process. Only the main process checks reports."""
    return hasattr(config, "workerinput")


def pytest_collection_finish(session: pytest.Session) -> None:
    if not is_worker(session.config):
        record_ids([item.nodeid for item in session.items])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(ids: Sequence[str]) -> None:
    record_ids(ids)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    reported.add(report.nodeid)


def unreported(session: pytest.Session) -> list[str]:
    config = session.config
    stopped = session.shouldstop or session.shouldfail or config.option.collectonly
    return [] if is_worker(config) or stopped else sorted(collected - reported)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if exitstatus == pytest.ExitCode.OK and unreported(session):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        assert terminalreporter._session is not None
        for nodeid in unreported(terminalreporter._session):
            terminalreporter.write_line(f"collected but not reported: {nodeid}", red=True)
