"""The Celery application. What is promised to users is a job: see app.jobs."""

import warnings
from collections.abc import Sequence
from typing import Any

from celery import Celery
from celery.exceptions import CPendingDeprecationWarning
from celery.result import AsyncResult
from celery.signals import celeryd_after_setup, worker_init
from kombu.exceptions import OperationalError
from kombu.transport import redis, virtual

from app.core.config import settings

QUEUE = "main-queue"
# After this time, in seconds, SoftTimeLimitExceeded is raised in a task.
TIME_LIMIT = 300
# This time later, its process is killed.
SECONDS_TO_CLEAN_UP = 10


class QueueUnreachable(Exception):
    """Redis is unreachable, so the task can't be enqueued."""


class JobError(Exception):
    """A job failed. Its owner reads the text, so it must not contain internal details.

    Unless it is permanent, the job is repeated. The report lists what its owner has to change.
    """

    def __init__(
        self, text: str, *, permanent: bool = True, report: Sequence[dict[str, Any]] = ()
    ) -> None:
        super().__init__(text)
        self.permanent, self.report = permanent, report


class QoS(redis.QoS):
    """Frees a worker's process even if its message can't be acknowledged.

    Kombu 5.7 would keep the process idle. The message is delivered again after visibility_timeout.
    """

    def ack(self, delivery_tag: str) -> None:
        virtual.QoS.ack(self, delivery_tag)
        super().ack(delivery_tag)


redis.Channel.QoS = QoS


class App(Celery):
    def send_task(self, name: str, *args: Any, **options: Any) -> AsyncResult[Any]:
        """Send a task to the queue. Raises QueueUnreachable within a second."""
        try:
            return super().send_task(name, *args, **options)
        except OperationalError as error:
            raise QueueUnreachable from error


celery_app = App(
    "worker", broker=settings.CELERY_BROKER_URL, backend=settings.CELERY_RESULT_BACKEND
)
celery_app.conf.update(
    accept_content=["json"],
    task_default_queue=QUEUE,
    # Acknowledge a message only after its task has run.
    task_acks_late=True,
    task_soft_time_limit=TIME_LIMIT,
    task_time_limit=TIME_LIMIT + SECONDS_TO_CLEAN_UP,
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,
    broker_connection_retry_on_startup=True,
    worker_enable_prefetch_count_reduction=False,
    # No retries: a request must not wait for Redis.
    task_publish_retry=False,
    broker_transport_options={
        "max_retries": 0,
        "socket_connect_timeout": 0.5,
        "socket_timeout": 0.5,
    },
)


@worker_init.connect
def configure_worker(**_: object) -> None:
    limits = [task.time_limit or 0 for task in celery_app.tasks.values()]
    celery_app.conf.broker_transport_options |= {
        # Unlike a request, a worker can wait.
        "socket_connect_timeout": 5,
        "socket_timeout": 5,
        # A message that is not acknowledged for longer is delivered again. A worker keeps it while
        # the task before it runs, and while it runs itself.
        "visibility_timeout": 2 * max(TIME_LIMIT + SECONDS_TO_CLEAN_UP, *limits),
    }


@celeryd_after_setup.connect
def ignore_pending_deprecations(**_: object) -> None:
    """Suppress nine lines of warnings, which Celery logs whenever it loses Redis."""
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
