"""A task that lasts longer than others may; in a module that not every worker includes."""

from app.core.celery_app import celery_app
from app.tests.utils import short_limits, tasks  # noqa: F401  # for the others' limits


@celery_app.task(time_limit=4, default_retry_delay=0)
def slow_nap(starts: str) -> None:
    tasks.nap(starts, 2.5)
