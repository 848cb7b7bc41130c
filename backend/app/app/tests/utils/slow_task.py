"""A task with a longer time limit than the other tasks of the worker."""

from app.core.celery_app import celery_app
from app.tests.utils import short_limits, tasks  # noqa: F401  # sets the limits of other tasks


@celery_app.task(time_limit=4, default_retry_delay=0)
def slow_nap(starts: str) -> None:
    tasks.nap(starts, 2.5)
