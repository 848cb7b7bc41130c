"""The scheduler of Celery beat. It adds the jobs of schedules, and finds those that were lost."""

import logging
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import beat
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.celery_app import QUEUE, QueueUnreachable
from app.core.redis import TICK, TICK_SECONDS, quick_client
from app.crud.crud_job import LEASE
from app.crud.crud_job import job as crud_job
from app.db.session import SessionLocal
from app.jobs import KINDS

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5


class Scheduler(beat.Scheduler):
    """Sweeps in the process of Celery beat, because all workers may be busy or dead."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._started_at = datetime.now(UTC)
        self._swept_at = time.monotonic()
        self._leases_valid_from = self._swept_at + LEASE.total_seconds()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        try:
            self.sweep()
        except SQLAlchemyError as error:
            logger.warning("no sweep: %s", error)
        with suppress(RedisError):
            quick_client(retries=0).set(TICK, str(time.time()), ex=TICK_SECONDS)
        return min(SWEEP_SECONDS, super().tick(*args, **kwargs))

    def sweep(self) -> None:
        """Add the jobs of schedules, and enqueue what was not sent or lost its worker."""
        with SessionLocal.begin() as db:
            is_only_sweep, now = crud_job.lock_sweep(db), time.monotonic()
            # While the database was down, workers could not renew their leases. Let them do so now.
            if now - self._swept_at > 3 * SWEEP_SECONDS:
                self._leases_valid_from = now + LEASE.total_seconds()
            self._swept_at = now
            if not is_only_sweep:
                return
            self._add_scheduled_jobs(db)
            if now >= self._leases_valid_from:
                release_lost_jobs(db)
        # A worker that received the message before the commit would find no queued job.
        with SessionLocal.begin() as db:
            send_overdue_jobs(db)

    def _add_scheduled_jobs(self, db: Session) -> None:
        for kind in KINDS.values():
            if kind.schedule:
                last = crud_job.last_created(db, kind.name) or self._started_at
                if kind.schedule.is_due(last)[0]:
                    kind.enqueue(db, None)


def release_lost_jobs(db: Session) -> None:
    """Queue the jobs whose worker does not renew the lease, or let them fail."""
    for job_id, kind, attempt in crud_job.overdue(db, "running", KINDS):
        reason = "The process of the worker died"
        if attempt < KINDS[kind].attempts:
            crud_job.retry(db, job_id, attempt, reason, timedelta())
        else:
            crud_job.fail(db, job_id, attempt, reason)
        logger.warning("job %s, attempt %s: %s", job_id, attempt, reason)


def send_overdue_jobs(db: Session) -> None:
    """Send a message for each job that has none in the queue."""
    jobs = crud_job.overdue(db, "queued", KINDS)
    sent = []
    try:
        # A job that was tried before has no message. Of the new ones, some have lost theirs if
        # there are fewer messages than jobs.
        new = [job_id for job_id, _, attempts in jobs if attempts == 0]
        lost = set(new[: max(0, len(new) - int(quick_client(retries=0).llen(QUEUE)))])
        for job_id, kind, attempts in jobs:
            if attempts or job_id in lost:
                KINDS[kind].send(job_id)
                sent.append(job_id)
    except (RedisError, QueueUnreachable) as error:
        logger.warning("%s jobs wait for Redis: %s", len(jobs) - len(sent), error)
    if sent:
        crud_job.mark_sent(db, sent)
