"""The Celery application, and how requests enqueue tasks."""

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
from app.core.redis import counter_client

logger = logging.getLogger(__name__)

# The default time_limit of a task, in seconds.
TIME_LIMIT = 300
# The longest retry delay, countdown or eta of a task, in seconds.
LONGEST_DELAY = 300
# After this many interruptions, the next start of a task fails.
MAX_INTERRUPTIONS = 3
DAY = 24 * 60 * 60
# The key, in Session.info, of the tasks to enqueue after the commit.
AFTER_COMMIT = "after_commit"

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class InterruptedTooOften(Exception):
    """The worker's process died in every run of the task: the task crashed it, or it restarted."""


class QueueUnreachable(Exception):
    """Redis is unreachable, so the task can't be enqueued."""


class OutOfMemory(Exception):
    """Raised instead of a MemoryError, which would stop the whole worker in Celery 5.7."""


class Task(celery.Task[P, R]):
    """The base class of every task. A task that was interrupted too often fails."""

    def delay_after_commit(self, db: Session, *args: P.args, **kwargs: P.kwargs) -> None:
        """Enqueue the task after the session's transaction is committed. A rollback drops it.

        If Redis is unreachable after the commit, the task is lost and an error is logged. Everyone
        with access to Flower sees the arguments, so pass ids instead of secrets. Raises TypeError
        if the task does not accept the arguments.
        """
        signature(self.run).bind(*args, **kwargs)
        if not db.in_transaction():
            db.begin()  # An unused session has no transaction yet.
        transaction = db.get_nested_transaction() or db.get_transaction()
        db.info.setdefault(AFTER_COMMIT, []).append((transaction, self, args, kwargs))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        request = self.request
        if request.called_directly:
            return super().__call__(*args, **kwargs)
        # The key contains the number of the retry, because a retry is not an interruption.
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
        """Count this start in Redis. Return the number of starts, or 0 if Redis is unreachable."""
        visibility_timeout = self.app.conf.broker_transport_options["visibility_timeout"]
        try:
            with counter_client().pipeline() as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, visibility_timeout + DAY)
                return int(pipeline.execute()[0])
        except RedisError as error:
            logger.warning("%s not counted: %s", key, error)
            return 0

    def _forget_starts(self, key: str) -> None:
        try:
            counter_client().delete(key)
        except RedisError as error:
            logger.warning("%s not deleted: %s", key, error)


class App(celery.Celery):
    def send_task(self, name: str, *args: Any, **options: Any) -> AsyncResult[Any]:
        """Send a task to the queue.

        Raises ValueError if the delay is too long or the call sets a time limit: the task could
        then exceed the visibility timeout and be delivered twice. Raises QueueUnreachable if Redis
        is unreachable. A request waits at most a second for that error.
        """
        delay = options.get("countdown") or 0
        if eta := options.get("eta"):
            eta = eta if eta.tzinfo else eta.replace(tzinfo=UTC)
            delay = (eta - datetime.now(UTC)).total_seconds()
        if delay > LONGEST_DELAY:
            raise ValueError(f"{name}: a delay of {delay:g} s exceeds LONGEST_DELAY")
        for limit in ("time_limit", "soft_time_limit"):
            # Celery would put the task's limits into the message. Remove them: a deployment may
            # change the limits before the task runs, and the worker applies the current ones.
            given = options.pop(limit, None)
            declared = getattr(options.get("task_type"), limit, None)
            # Inside a task any limit is accepted, because a retry passes the current run's limits.
            if self.current_task is None and given not in (None, declared):
                raise ValueError(f"{name}: set {limit} in the task's decorator, not in the call")
        try:
            return super().send_task(name, *args, **options)
        except OperationalError as error:
            raise QueueUnreachable from error

    if TYPE_CHECKING:  # celery-types does not support task_cls.

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
    # Acknowledge a task only after it has run: if the worker dies, the task runs again.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,
    broker_connection_retry_on_startup=True,
    worker_enable_prefetch_count_reduction=False,
    # No retries: while Redis is unreachable, a request must fail within a second. A retry could
    # also enqueue the task twice.
    task_publish_retry=False,
    broker_transport_options={
        "max_retries": 0,
        "socket_connect_timeout": 0.5,
        "socket_timeout": 0.5,
        # Every process that reads from Redis redelivers messages of all processes, if they stay
        # unacknowledged for longer than its own visibility_timeout. Only the worker knows a
        # suitable value (configure_worker). In other processes, this long value prevents it.
        "visibility_timeout": 365 * DAY,
    },
)


def _limit_problems(task: celery.Task[..., Any]) -> Iterator[str]:
    """Yield a message for each invalid limit or delay of a task."""
    limit, soft = task.time_limit or TIME_LIMIT, task.soft_time_limit
    if limit <= 0:
        yield f"{task.name}: time_limit must be above 0"
    elif soft is not None and not limit / 2 <= soft < limit:
        yield (
            f"{task.name}: soft_time_limit must be below time_limit ({limit:g} s) and at least"
            f" half of it, not {soft:g} s. Omit it to use the default."
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
    """Derive missing limits and the visibility timeout. Exit if a task has an invalid limit."""
    tasks = list(celery_app.tasks.values())
    problems = [problem for task in tasks for problem in _limit_problems(task)]
    if sender.time_limit or sender.soft_time_limit:
        problems.append(
            "--time-limit, task_time_limit or a soft variant is set: set time_limit on each task"
        )
    if problems:
        sys.exit("\n".join(["The worker can't start:", *(f"  {line}" for line in problems)]))
    longest = TIME_LIMIT
    for task in tasks:
        limit = task.time_limit or TIME_LIMIT
        task.time_limit = limit
        # Leave the task a minute to clean up, or a fifth of its limit if that is shorter.
        task.soft_time_limit = task.soft_time_limit or max(limit * 4 // 5, limit - 60)
        longest = max(longest, limit)
    celery_app.conf.task_publish_retry = True  # Unlike a request, a task can wait.
    celery_app.conf.broker_transport_options |= {
        "socket_connect_timeout": 5,
        "socket_timeout": 5,
        # Long enough for the longest delay, one other task, and the task itself. A task that waits
        # for several long tasks may start twice.
        "visibility_timeout": LONGEST_DELAY + 2 * longest,
    }


@celeryd_after_setup.connect
def ignore_pending_deprecations(**_: object) -> None:
    """Suppress nine lines of warnings, which Celery logs whenever it loses Redis."""
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)


@event.listens_for(Session, "after_commit")
def send_tasks(db: Session) -> None:
    if db.in_nested_transaction():
        return
    for _, task, args, kwargs in db.info.pop(AFTER_COMMIT, []):
        try:
            task.apply_async(args, kwargs, ignore_result=True)
        except Exception as error:  # The commit has happened, so the request must succeed.
            logger.error("%s%r was not sent: %s", task.name, args, error.__cause__ or error)


@event.listens_for(Session, "after_soft_rollback")
def drop_tasks(db: Session, ended: SessionTransaction) -> None:
    """Drop the tasks of the rolled back transaction or savepoint, and of savepoints inside it."""

    def is_undone(transaction: SessionTransaction | None) -> bool:
        return transaction is not None and (transaction is ended or is_undone(transaction.parent))

    if tasks := db.info.get(AFTER_COMMIT):
        db.info[AFTER_COMMIT] = [task for task in tasks if not is_undone(task[0])]
