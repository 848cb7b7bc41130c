"""Tasks for tests. The workers of the tests include this module."""

import os
import signal
import time
from pathlib import Path

from celery.concurrency.asynpool import AsynPool
from sqlalchemy import func, select

from app.core.celery_app import celery_app
from app.db.session import SessionLocal

# The worker detects a dead process sooner. By default it checks every 5 seconds, and then waits
# 10 seconds for a result.
AsynPool.timers = property(lambda pool: {pool.maintain_pool: 0.2})  # type: ignore[assignment, method-assign]
celery_app.conf.worker_lost_wait = 0.2


def count_start(starts: str) -> int:
    with Path(starts).open("a") as file:
        print(os.getpid(), file=file)
    return len(Path(starts).read_text().split())


@celery_app.task
def die(starts: str, times: int, whole_worker: bool = False) -> str:
    """Kill this process, or the whole worker, at each of the first `times` starts."""
    if count_start(starts) <= times:
        if whole_worker:
            os.killpg(0, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


@celery_app.task
def nap(starts: str, seconds: float) -> str:
    count_start(starts)
    time.sleep(seconds)
    return "done"


@celery_app.task
def exhaust_memory() -> None:
    raise MemoryError("no memory left")


@celery_app.task
def sleep_in_database(seconds: float) -> str:
    with SessionLocal() as db:
        db.scalar(select(func.pg_sleep(seconds)))
    return "slept"
