"""Something fails while clients make promises. All that was acknowledged is still done, and only once."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
import pytest
import supervise
from app import worker  # noqa: F401  # registers the kinds of jobs
from app.core.config import settings
from app.jobs import KINDS
from settings import BACKEND, read_ports

from conftest import Report
from ledger import Ledger
from stack import Stack, wait_for


def flush_redis(stack: Stack) -> None:
    """Flush Redis while the queue is not empty."""
    hold_mail(stack, "before")
    time.sleep(stack.random.uniform(0, 1))
    stack.flush()
    stack.mails.hold = ""


def hold_mail(stack: Stack, when: Literal["before", "after"]) -> None:
    stack.mails.hold = when
    wait_for(lambda: stack.mails.held, "a mail is held")
    # Another mail may have been on its way.
    time.sleep(0.3)


def kill_worker(stack: Stack) -> None:
    stack.kill("celeryworker")
    stack.mails.hold = ""
    # Its jobs need not wait until their leases expire.
    stack.make_due("running")


def kill_worker_in_job(stack: Stack) -> None:
    wait_for(lambda: stack.sql("SELECT FROM job WHERE state = 'running'"), "a job runs")
    time.sleep(stack.random.uniform(0, 0.4))
    kill_worker(stack)


def kill_worker_before_250(stack: Stack) -> None:
    hold_mail(stack, "before")
    kill_worker(stack)


def kill_worker_after_250(stack: Stack) -> None:
    hold_mail(stack, "after")
    kill_worker(stack)


def kill_db_after_250(stack: Stack) -> None:
    """The worker must not send the mail again, although it cannot commit."""
    hold_mail(stack, "after")
    stack.kill("db")
    stack.mails.hold = ""


def reject_mails_for_a_while(stack: Stack) -> None:
    stack.mails.rejection = "451 Try again later"
    time.sleep(stack.random.uniform(1, 2))
    stack.mails.rejection = ""


def reject_mails_for_good(stack: Stack) -> None:
    stack.mails.rejection = "550 No such mailbox"
    wait_for(lambda: stack.mails.rejected_for_good, "a mail is rejected")
    time.sleep(stack.random.uniform(0, 1))
    stack.mails.rejection = ""


def repeat_messages(stack: Stack) -> None:
    """Send messages for jobs that are queued, running or finished."""
    end = time.monotonic() + 4
    while time.monotonic() < end:
        for job in stack.sql("SELECT id, kind FROM job"):
            KINDS[job.kind].send(job.id)
        time.sleep(0.3)


def start_second_beat(stack: Stack) -> None:
    second = subprocess.Popen(["sh", "./beat-start.sh"], cwd=BACKEND, start_new_session=True)
    stack.cleanup.callback(second.wait)
    stack.cleanup.callback(second.terminate)
    beat, database = psutil.Process(second.pid), read_ports()["db"]

    def is_connected() -> bool:
        return any(each.raddr and each.raddr.port == database for each in beat.net_connections())

    wait_for(is_connected, "the second beat sweeps")


def wait_for_import(stack: Stack) -> None:
    wait_for(lambda: stack.sql("SELECT FROM job WHERE state = 'running' AND kind = 'import_notes'"), "an import runs")
    time.sleep(stack.random.uniform(0, 1))


def kill_worker_in_import(stack: Stack) -> None:
    wait_for_import(stack)
    kill_worker(stack)


def restart_db_in_import(stack: Stack) -> None:
    wait_for_import(stack)
    stack.restart("db")


def pause_db_in_import(stack: Stack) -> None:
    wait_for_import(stack)
    stack.pause("db", stack.random.uniform(4, 8))


def replace_file_store(stack: Stack) -> None:
    """Put a file in the place of the folder, so that nothing can be read or written."""
    folder = Path(settings.FILE_STORE)
    aside = folder.with_name("files.aside")
    folder.rename(aside)
    folder.touch()
    time.sleep(stack.random.uniform(1, 3))
    folder.unlink()
    aside.rename(folder)


def fill_file_store(stack: Stack) -> None:
    """Let no process write more than the beginning of a file."""
    processes = [*stack.processes("backend"), *stack.processes("celeryworker")]
    for process in processes:
        process.rlimit(psutil.RLIMIT_FSIZE, (100_000, psutil.RLIM_INFINITY))
    time.sleep(stack.random.uniform(1, 3))
    for process in processes:
        process.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))


def do_nothing(_: Stack) -> None:
    pass


@dataclass(frozen=True)
class Fault:
    action: Callable[[Stack], None]
    # How often, each time with another seed.
    runs: int = 1
    # What the clients do.
    client: str = "send_all"
    # A worker dies between the 250 of the mail server and its own commit, so mails are sent twice.
    doubles_mails: bool = False
    prepare: Callable[[Stack], None] = do_nothing


FAULTS = {
    "Redis is killed": Fault(lambda stack: stack.kill("redis"), 2),
    "Redis is paused": Fault(lambda stack: stack.pause("redis", stack.random.uniform(5, 12)), 2),
    "Redis is restarted": Fault(lambda stack: stack.restart("redis")),
    "Redis is flushed": Fault(flush_redis, 2),
    "Redis is flushed, there are two beats": Fault(flush_redis, prepare=start_second_beat),
    "worker is killed in a job": Fault(kill_worker_in_job, 2, "send_rows"),
    "worker is killed before the 250": Fault(kill_worker_before_250, 2),
    "worker is killed after the 250": Fault(kill_worker_after_250, 2, doubles_mails=True),
    "worker is restarted": Fault(lambda stack: stack.restart("celeryworker"), 2),
    "database is killed": Fault(lambda stack: stack.kill("db")),
    "database is killed after the 250": Fault(kill_db_after_250, 2),
    "database is restarted": Fault(lambda stack: stack.restart("db")),
    "database is paused": Fault(lambda stack: stack.pause("db", stack.random.uniform(4, 8))),
    "mails are rejected for a while": Fault(reject_mails_for_a_while),
    "mails are rejected for good": Fault(reject_mails_for_good),
    "messages are sent several times": Fault(repeat_messages),
    "jobs are cancelled when they finish": Fault(do_nothing, 2, "cancel_rows"),
    "worker is killed in an import": Fault(kill_worker_in_import, 2, "transfer"),
    "database is restarted in an import": Fault(restart_db_in_import, client="transfer"),
    "database is paused in an import": Fault(pause_db_in_import, client="transfer"),
    "file store is unreachable": Fault(replace_file_store, client="transfer"),
    "file store is full": Fault(fill_file_store, client="transfer"),
    "imports are cancelled": Fault(do_nothing, client="cancel_imports"),
}


@pytest.mark.parametrize(
    ("name", "repetition"), [(name, number) for name, fault in FAULTS.items() for number in range(fault.runs)]
)
def test_promises_are_kept(name: str, stack: Stack, ledger: Ledger, report: Report) -> None:
    fault = FAULTS[name]
    fault.prepare(stack)
    ledger.start(fault.client)
    time.sleep(stack.random.uniform(0.2, 1.5))
    began = time.monotonic()
    fault.action(stack)
    ledger.wait()
    stack.wait_until_done()
    outcome = report(name, began)
    problems = outcome.lost + outcome.wrong + ([] if fault.doubles_mails else outcome.doubled)
    assert not problems, "\n".join(problems)
    assert outcome.doubled or not fault.doubles_mails, "the worker was not killed after the 250"


@pytest.mark.parametrize("repetition", [0])
def test_beat_finds_what_was_lost_without_it(stack: Stack, ledger: Ledger, report: Report) -> None:
    supervise.stop_service("celerybeat")
    stack.cleanup.callback(supervise.start_service, "celerybeat")
    ledger.start("send_all")
    time.sleep(stack.random.uniform(0.2, 1.5))
    began = time.monotonic()
    flush_redis(stack)
    ledger.wait()
    stack.wait_until_done(5)
    # This also shows that these tests notice lost jobs.
    assert report("Redis is flushed, beat is stopped", began).lost
    supervise.start_service("celerybeat")
    stack.wait_until_done()
    outcome = report("... beat runs again", began)
    problems = outcome.lost + outcome.wrong + outcome.doubled
    assert not problems, "\n".join(problems)
