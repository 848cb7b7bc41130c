"""Jobs: work that is promised in a database transaction, and done by the Celery worker.

A row of the table `job` is the promise. The message in the queue only says that there is one: if
it is lost, or the worker dies, the sweep in the process of Celery beat sends another one.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from inspect import signature
from threading import Event, Thread
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from celery.exceptions import Retry, SoftTimeLimitExceeded
from celery.schedules import BaseSchedule
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.core import files
from app.core.celery_app import (
    SECONDS_TO_CLEAN_UP,
    TIME_LIMIT,
    JobError,
    celery_app,
)
from app.core.logging import safe_text
from app.core.redis import pause
from app.crud.crud_job import job as crud_job
from app.db.session import SessionLocal
from app.models.job import Job, job_file_key
from app.models.user import User

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

LONGEST_DELAY = timedelta(hours=1)
# A report lists at most so many problems. Further ones are only counted.
MAX_REPORT = 1000
# The key, in Session.info, of the jobs to send after the commit.
NEW_JOBS = "new_jobs"


class NotCurrent(Exception):
    """The job was cancelled, or given to another worker."""


class Run:
    """One run of a job."""

    def __init__(self, job_id: int, attempt: int, created_at: datetime) -> None:
        self.job_id, self.attempt = job_id, attempt
        # The same in each run, for services that recognise a repetition by it.
        self.key = f"job-{job_id}-{created_at.timestamp():.6f}"
        # It is committed together with the success of the job, so its changes happen once. In a job
        # that has effects elsewhere, such as a mail, read with ReadSession instead.
        self.db = SessionLocal()
        # The name of the written file.
        self._file: str | None = None
        self._progress: dict[str, Any] = {}
        self._is_current, self._ended = True, Event()

    def progress(self, done: int, total: int | None = None, message: str = "") -> None:
        """Report the progress. It costs nothing: it is written each second.

        Raises NotCurrent if the job was cancelled. Let it pass.
        """
        self._progress = {"progress": done, "total": total, "message": _message(message)}
        if not self._is_current:
            raise NotCurrent

    @contextmanager
    def write_file(self, name: str) -> Iterator[files.Writable]:
        """Open the file that users download from the job under this name.

        Raises FileStoreUnavailable.
        """
        with files.writer(job_file_key(self.job_id, self.attempt)) as file:
            yield file
        self._file = name

    def __enter__(self) -> "Run":
        Thread(target=self._renew, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with suppress(DBAPIError):
            self.db.close()

    def _renew(self) -> None:
        """Renew the lease and write the progress on a second connection, until the run ends."""
        while self._is_current and not self._ended.wait(1):
            try:
                with SessionLocal.begin() as db:
                    self._is_current = crud_job.renew(
                        db, self.job_id, self.attempt, **self._progress
                    )
            except Exception as error:
                logger.warning("%s: the lease was not renewed: %s", self.key, error)
                self._progress = {}  # It must not prevent the renewal, if it is the cause.

    def succeed(self, result: str | None) -> None:
        """Commit the changes and the success. Raises NotCurrent, and errors of the changes."""
        values = {**self._progress, "file": self._file}
        if not self.db.in_transaction():
            self.record(crud_job.succeed, result, values)
        elif crud_job.succeed(self.db, self.job_id, self.attempt, result, values):
            self.db.commit()
        else:
            raise NotCurrent

    def fail(self, reason: str, report: Sequence[dict[str, Any]]) -> None:
        """Write the failure. Raises NotCurrent."""
        values = {
            **self._progress,
            "report": report[:MAX_REPORT] or None,
            "problem_count": len({each["line"] for each in report}),
        }
        self.record(crud_job.fail, reason, values)

    def record(self, outcome: Callable[..., bool], *values: object) -> None:
        """Write an outcome without changes. Raises NotCurrent."""
        if not write(lambda db: outcome(db, self.job_id, self.attempt, *values)):
            raise NotCurrent


def write(change: Callable[[Session], R]) -> R:
    """Commit a change. Wait while the database is down: a sent mail must not be sent again."""
    while True:
        try:
            with SessionLocal.begin() as db:
                return change(db)
        except DBAPIError as error:
            if not (isinstance(error, OperationalError) or error.connection_invalidated):
                raise
            logger.warning("waiting for the database: %s", error)
            time.sleep(0.5)


class JobKind(Generic[P]):
    """A function that runs as a job. Call `enqueue` to promise it."""

    def __init__(
        self,
        function: Callable[Concatenate[Run, P], str | None],
        time_limit: int,
        attempts: int,
        schedule: BaseSchedule | None,
    ) -> None:
        self.name = function.__name__
        self.function: Callable[..., str | None] = function
        self.signature = signature(function)
        self.attempts, self.schedule = attempts, schedule

        @celery_app.task(
            name=f"{function.__module__}.{self.name}",
            soft_time_limit=time_limit,
            time_limit=time_limit + SECONDS_TO_CLEAN_UP,
            ignore_result=True,
            throws=(JobError,),
        )
        def task(job_id: int) -> None:
            self._run(job_id)

        self.task = task

    def enqueue(self, db: Session, owner: User | None, *args: P.args, **kwargs: P.kwargs) -> Job:
        """Add the job in the session's transaction. A rollback drops it.

        The arguments are stored as JSON until the job has finished. Pass ids instead of secrets.
        Raises TypeError if the function does not accept the arguments.
        """
        arguments = self.signature.bind(None, *args, **kwargs).arguments
        del arguments[next(iter(self.signature.parameters))]  # The Run.
        owner_id = owner.id if owner else None
        job = crud_job.add(db, kind=self.name, owner_id=owner_id, arguments=arguments)
        # An endpoint that returns the job reads the owner after the commit.
        set_committed_value(job, "owner", owner)
        db.info.setdefault(NEW_JOBS, []).append((self, job.id))
        return job

    def send(self, job_id: int) -> None:
        """Send a message with the job's id to the worker. Raises QueueUnreachable."""
        self.task.apply_async((job_id,), task_id=f"job-{job_id}")

    def _run(self, job_id: int) -> None:
        claimed = write(lambda db: crud_job.claim(db, job_id))
        if claimed is None:
            logger.info("job %s is not queued", job_id)
            return
        attempt, arguments, created_at = claimed
        try:
            with Run(job_id, attempt, created_at) as run:
                self._attempt(run, arguments)
        except NotCurrent:
            logger.warning("job %s was cancelled, or given to another worker", job_id)

    def _attempt(self, run: Run, arguments: dict[str, Any]) -> None:
        try:
            run.succeed(self.function(run, **arguments))
        except NotCurrent:
            raise
        except Exception as error:
            run.db.rollback()
            self._fail(run, error)

    def _fail(self, run: Run, error: Exception) -> None:
        logger.warning("%s, attempt %s: %s", run.key, run.attempt, error.__cause__ or repr(error))
        reason = type(error).__name__
        if isinstance(error, JobError):
            reason = _message(str(error))
        elif isinstance(error, SoftTimeLimitExceeded):
            reason = f"The job took longer than {self.task.soft_time_limit} seconds"
        if run.attempt < self.attempts and not getattr(error, "permanent", False):
            delay = min(timedelta(seconds=2**run.attempt), LONGEST_DELAY)
            run.record(crud_job.retry, reason, delay)
            raise Retry(exc=error) from error
        run.fail(reason, getattr(error, "report", ()))
        if isinstance(error, MemoryError):  # It would stop the whole worker in Celery 5.7.
            raise JobError(reason) from error
        raise error


KINDS: dict[str, JobKind[...]] = {}


def job(
    *, time_limit: int = TIME_LIMIT, attempts: int = 5, schedule: BaseSchedule | None = None
) -> Callable[[Callable[Concatenate[Run, P], str | None]], JobKind[P]]:
    """Make a function a kind of job. Its first parameter is the Run.

    An attempt ends at the time limit, in seconds. After an error, or if the process dies, the job
    is repeated after 2, 4, 8 ... seconds, up to an hour. A schedule is in UTC.
    """

    def register(function: Callable[Concatenate[Run, P], str | None]) -> JobKind[P]:
        if function.__name__ in KINDS:
            raise ValueError(f"there are two kinds of jobs with the name {function.__name__}")
        kind = JobKind(function, time_limit, attempts, schedule)
        KINDS[kind.name] = kind
        return kind

    return register


def _message(text: str) -> str:
    """Return a text that the database can store."""
    return safe_text(text)[:1000]


@event.listens_for(Session, "after_commit")
def send_new_jobs(db: Session) -> None:
    if db.in_nested_transaction():
        return
    for kind, job_id in db.info.pop(NEW_JOBS, []):
        if pause.is_on():  # The sweep sends it.
            continue
        try:
            kind.send(job_id)
        except Exception as error:  # The commit has happened, so the request must succeed.
            logger.warning("job %s waits for the sweep: %s", job_id, error.__cause__ or error)
            pause.begin()
