"""The processes and the database of the separate stack."""

import os
import random
import time
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout, suppress
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import commands
import health
import psutil
import redis
import supervise
from app.core.config import settings
from app.db.session import engine
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mail_server import MailServer

# The transaction of a cancelled job may still be open. Its rows are not visible yet, and it would block TRUNCATE.
UNFINISHED = """
SELECT 1 FROM job WHERE state IN ('queued', 'running')
UNION ALL
SELECT 1 FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND xact_start IS NOT NULL
    AND pid <> pg_backend_pid()
LIMIT 1
"""


def wait_for(check: Callable[[], Any], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


@dataclass
class Stack:
    mails: MailServer
    random: random.Random
    # What to undo at the end of a run.
    cleanup: ExitStack = field(default_factory=ExitStack)

    def processes(self, service: str) -> list[psutil.Process]:
        top = psutil.Process(supervise.states()[service]["pid"])
        return [top, *top.children(recursive=True)]

    def kill(self, service: str) -> None:
        """Kill all processes of a service, and wait until they are dead. The supervisor starts others."""
        processes = self.processes(service)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _, alive = psutil.wait_procs(processes, timeout=10)
        assert not alive

    def pause(self, service: str, seconds: float) -> None:
        processes = self.processes(service)
        try:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.suspend()
            time.sleep(seconds)
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def restart(self, service: str) -> None:
        supervise.stop_service(service)
        supervise.start_service(service)

    def wait_until_up(self) -> None:
        with redirect_stdout(StringIO()):
            health.wait(commands.running_services(), os.environ)

    def sql(self, statement: str, **values: object) -> list[Any]:
        with engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return list(result) if result.returns_rows else []

    def make_due(self, state: str) -> None:
        """Let the sweep look at the jobs in this state now. Otherwise a test would wait for leases and retries."""
        self.sql("UPDATE job SET check_at = now() WHERE state = :state AND check_at > now()", state=state)

    def flush(self) -> None:
        redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=5).flushall()

    def wait_until_done(self, seconds: float = 75) -> bool:
        """Wait until no job is queued, running or in a transaction. Let the sweep look at queued jobs early."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(DBAPIError):
                if not self.sql(UNFINISHED):
                    return True
                self.make_due("queued")
            time.sleep(0.3)
        return False
