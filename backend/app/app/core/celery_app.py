"""The Celery application, and how a request enqueues a task."""

import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from inspect import signature
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar, overload

import celery
from celery.exceptions import CPendingDeprecationWarning
from celery.result import AsyncResult
from celery.signals import celeryd_after_setup, worker_init
from kombu.exceptions import OperationalError
from redis import RedisError
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from app.core.config import settings
from app.core.redis import counters

logger = logging.getLogger(__name__)

# Seconds that a task without its own time_limit may take.
TIME_LIMIT = 300
# The longest retry delay, countdown or eta of a task, in seconds.
LONGEST_DELAY = 300
# A task that was interrupted this often fails instead of being started again.
MAX_INTERRUPTIONS = 3
DAY = 24 * 60 * 60
# The key of a session's tasks to send.
AFTER_COMMIT = "after_commit"

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class InterruptedTooOften(Exception):
    """The process ended before the task each time: the task kills it, or the worker restarted."""


class QueueUnreachable(Exception):
    """Redis can't take the task."""


class OutOfMemory(Exception):
    """Stands for a MemoryError, at which Celery 5.7 would end the whole worker."""


class Task(celery.Task[P, R]):
    """The base of every task: fails when it was interrupted too often."""

    def delay_after_commit(self, db: Session, *args: P.args, **kwargs: P.kwargs) -> None:
        """Enqueue the task once the session's transaction is committed; a rollback drops it.

        Where Redis is unreachable by then, the task is lost and the log says so. Arguments are
        seen by everyone who may look at Flower: pass ids, not secrets. Raises TypeError when they
        do not fit the task.
        """
        signature(self.run).bind(*args, **kwargs)
        if not db.in_transaction():
            db.begin()  # A session that has done nothing yet has nothing to roll back.
        transaction = db.get_nested_transaction() or db.get_transaction()
        db.info.setdefault(AFTER_COMMIT, []).append((transaction, self, args, kwargs))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        request = self.request
        if request.called_directly:
            return super().__call__(*args, **kwargs)
        # A retry is not an interruption.
        key = f"task-starts:{request.id}:{request.retries}"
        if (starts := self._count_start(key)) > MAX_INTERRUPTIONS:
            raise InterruptedTooOften(f"the process died {starts - 1} times in this task")
        try:
            return self.run(*args, **kwargs)
        except MemoryError as error:
            raise OutOfMemory(str(error)) from error
        finally:
            self._forget_starts(key)

    def _count_start(self, key: str) -> int:
        """Count in Redis, as this process may be killed next. Without Redis, the task runs."""
        visibility_timeout = self.app.conf.broker_transport_options["visibility_timeout"]
        try:
            with counters().pipeline() as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, visibility_timeout + DAY)
                return int(pipeline.execute()[0])
        except RedisError as error:
            logger.warning("%s not counted: %s", key, error)
            return 0

    def _forget_starts(self, key: str) -> None:
        try:
            counters().delete(key)
        except RedisError as error:
            logger.warning("%s not deleted: %s", key, error)


class App(celery.Celery):
    def send_task(self, name: str, *args: Any, **options: Any) -> AsyncResult[Any]:
        """Reject what the visibility timeout does not cover: Redis would start it twice.

        Raises QueueUnreachable, to a request within a second.
        """
        delay = options.get("countdown") or 0
        if eta := options.get("eta"):
            eta = eta if eta.tzinfo else eta.replace(tzinfo=UTC)
            delay = (eta - datetime.now(UTC)).total_seconds()
        if delay > LONGEST_DELAY:
            raise ValueError(f"{name}: a delay of {delay:g} s exceeds LONGEST_DELAY")
        for limit in ("time_limit", "soft_time_limit"):
            # Celery would send a task's own limits with it. They are left out: the worker that runs
            # the task derives them, also after a deployment.
            given = options.pop(limit, None)
            declared = getattr(options.get("task_type"), limit, None)
            # A task that retries itself passes on what it had.
            if self.current_task is None and given not in (None, declared):
                raise ValueError(f"{name}: set {limit} where the task is defined")
        try:
            return super().send_task(name, *args, **options)
        except OperationalError as error:
            raise QueueUnreachable from error

    if TYPE_CHECKING:  # celery-types does not know of task_cls.

        @overload  # type: ignore[override]
        def task(self, function: Callable[P, R], /) -> Task[P, R]: ...
        @overload
        def task(
            self, *, bind: Literal[True], **options: Any
        ) -> Callable[[Callable[Concatenate[Task[P, R], P], R]], Task[P, R]]: ...
        @overload
        def task(self, **options: Any) -> Callable[[Callable[P, R]], Task[P, R]]: ...
        def task(self, *_: Any, **__: Any) -> Any: ...


celery_app = App(
    "worker",
    broker=settings.CELERY_BROKER_URL,
    backend=settings.CELERY_RESULT_BACKEND,
    task_cls=Task,
)
celery_app.conf.update(
    accept_content=["json"],
    task_default_queue="main-queue",
    # A task is acknowledged when it is done, so that another worker repeats what a dead
    # one had begun.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,
    broker_connection_retry_on_startup=True,
    worker_enable_prefetch_count_reduction=False,
    # An unreachable Redis may delay a request by a second, and a repeat could enqueue twice.
    task_publish_retry=False,
    broker_transport_options={
        "max_retries": 0,
        "socket_connect_timeout": 0.5,
        "socket_timeout": 0.5,
        # Any process that reads from Redis returns overdue tasks to the queue. Only the worker
        # knows how long its tasks take (configure_worker), so the others never do.
        "visibility_timeout": 365 * DAY,
    },
)


def _problems(task: celery.Task[..., Any]) -> Iterator[str]:
    """Say which numbers of a task contradict each other or LONGEST_DELAY."""
    limit, soft = task.time_limit or TIME_LIMIT, task.soft_time_limit
    if limit <= 0:
        yield f"{task.name}: time_limit must be above 0"
    elif soft is not None and not limit / 2 <= soft < limit:
        yield (
            f"{task.name}: soft_time_limit must be below time_limit ({limit:g} s) and at least"
            f" half of it, not {soft:g} s. Leave it out to have it derived."
        )
    delay = task.default_retry_delay
    if factor := getattr(task, "retry_backoff", 0):
        delay = getattr(task, "retry_backoff_max", 600)
        if task.max_retries is not None:
            delay = min(delay, factor * 2 ** max(task.max_retries - 1, 0))
    if delay > LONGEST_DELAY:
        yield f"{task.name}: a retry delay of {delay:g} s exceeds LONGEST_DELAY ({LONGEST_DELAY} s)"


@worker_init.connect
def configure_worker(sender: Any, **_: object) -> None:
    """Derive the limits of every task from its time_limit, or exit and name what prevents it."""
    tasks = list(celery_app.tasks.values())
    problems = [problem for task in tasks for problem in _problems(task)]
    if sender.time_limit or sender.soft_time_limit:
        problems.append("--time-limit, task_time_limit and the soft ones: set time_limit per task")
    if problems:
        sys.exit("\n".join(["The worker can't start:", *(f"  {line}" for line in problems)]))
    longest = TIME_LIMIT
    for task in tasks:
        limit = task.time_limit or TIME_LIMIT
        task.time_limit = limit
        # A minute to clean up, or a fifth of a short limit.
        task.soft_time_limit = task.soft_time_limit or max(limit * 4 // 5, limit - 60)
        longest = max(longest, limit)
    celery_app.conf.task_publish_retry = True  # For retries of tasks, which nobody waits for.
    celery_app.conf.broker_transport_options |= {
        "socket_connect_timeout": 5,
        "socket_timeout": 5,
        # A delayed task waits for its time, and then for one task to end. Behind more than one
        # long task it may be started twice.
        "visibility_timeout": LONGEST_DELAY + 2 * longest,
    }


@celeryd_after_setup.connect
def ignore_pending_deprecations(**_: object) -> None:
    """Keep nine lines about the next Celery out of the log whenever Redis is lost."""
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)


@event.listens_for(Session, "after_commit")
def send_tasks(db: Session) -> None:
    if db.in_nested_transaction():
        return
    for _, task, args, kwargs in db.info.pop(AFTER_COMMIT, []):
        try:
            task.apply_async(args, kwargs, ignore_result=True)
        except Exception as error:  # What is committed can't fail any more.
            logger.error("%s%r was not sent: %s", task.name, args, error.__cause__ or error)


@event.listens_for(Session, "after_soft_rollback")
def drop_tasks(db: Session, ended: SessionTransaction) -> None:
    """Drop the tasks of a transaction, or of a savepoint and those within it."""

    def is_undone(transaction: SessionTransaction | None) -> bool:
        return transaction is not None and (transaction is ended or is_undone(transaction.parent))

    if tasks := db.info.get(AFTER_COMMIT):
        db.info[AFTER_COMMIT] = [task for task in tasks if not is_undone(task[0])]
