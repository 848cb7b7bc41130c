"""The Celery application, and how a request hands a task to the worker."""

import logging

from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.core.config import settings

logger = logging.getLogger(__name__)

celery_app = Celery(
    "worker", broker=settings.CELERY_BROKER_URL, backend=settings.CELERY_RESULT_BACKEND
)
celery_app.conf.update(
    accept_content=["json"],
    task_default_queue="main-queue",
    # A task is acknowledged when it is done, so that another worker repeats what a dead
    # one had begun.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_soft_time_limit=240,
    task_time_limit=300,
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,
    broker_connection_retry_on_startup=True,
    # Redis being away must not hold a request: Celery's own time limits add up to 19 seconds.
    broker_transport_options={
        "max_retries": 0,
        "socket_connect_timeout": 0.5,
        "socket_timeout": 0.5,
        # When a dead worker's tasks go to another: more than the time limit and any retry's delay.
        "visibility_timeout": 600,
    },
)


AFTER_COMMIT = "tasks to send after the commit"


class BrokerUnavailable(Exception):
    """Redis can't take the task."""


def send_task(name: str, *args: str | int) -> None:
    """Hand a task to the worker, or raise BrokerUnavailable within a second.

    Arguments are seen by everyone who may look at Flower: send ids, not secrets.
    """
    try:
        celery_app.send_task(name, args=args, ignore_result=True, retry=False)
    except OperationalError as error:
        raise BrokerUnavailable from error


def send_task_after_commit(db: Session, name: str, *args: str | int) -> None:
    """Hand a task to the worker once the session's transaction is committed; a rollback drops it.

    When Redis is away by then, the task is lost and the log says so.
    """
    if not db.in_transaction():
        db.begin()  # A session that has done nothing yet has nothing to roll back.
    db.info.setdefault(AFTER_COMMIT, []).append((name, args))


@event.listens_for(Session, "after_commit")
def send_tasks(db: Session) -> None:
    if db.in_nested_transaction():
        return
    for name, args in db.info.pop(AFTER_COMMIT, []):
        try:
            send_task(name, *args)
        except Exception as error:  # What is committed can't fail any more.
            logger.error("%s%r was not sent: %s", name, args, error.__cause__ or error)


@event.listens_for(Session, "after_rollback")
def drop_tasks(db: Session) -> None:
    db.info.pop(AFTER_COMMIT, None)


def broker_is_up() -> bool:
    try:
        with celery_app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
    except OperationalError:
        return False
    return True
