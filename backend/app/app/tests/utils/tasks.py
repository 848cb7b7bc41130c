"""Tasks and jobs for tests. The workers of the tests include this module."""

import os
import signal
import time
from pathlib import Path

from celery.concurrency.asynpool import AsynPool
from sqlalchemy import func, select

from app.core.celery_app import celery_app
from app.db.session import SessionLocal
from app.jobs import Run, job
from app.tests.utils import sample_note  # noqa: F401  # registers its jobs

# The worker detects a dead process sooner. By default it checks every 5 seconds, and then waits
# 10 seconds for a result.
AsynPool.timers = property(lambda pool: {pool.maintain_pool: 0.2})  # type: ignore[assignment, method-assign]
celery_app.conf.worker_lost_wait = 0.2


@celery_app.task
def nap(started: str, seconds: float) -> str:
    Path(started).touch()
    time.sleep(seconds)
    return "done"


@celery_app.task
def sleep_in_database(seconds: float) -> str:
    with SessionLocal() as db:
        db.scalar(select(func.pg_sleep(seconds)))
    return "slept"


@job(attempts=2)
def die(run: Run) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@job(attempts=1)
def exhaust_memory(run: Run) -> None:
    raise MemoryError("no memory left")


@job(time_limit=1, attempts=1)
def take_too_long(run: Run) -> None:
    time.sleep(5)


@job()
def count_slowly(run: Run) -> str:
    """Count until the job is cancelled."""
    number = 0
    while True:
        number += 1
        run.progress(number, 1000, "counting")
        time.sleep(0.05)
