"""Workers that include this module repeat the tasks of a dead worker within seconds."""

from app.core import celery_app
from app.tests.utils import tasks  # noqa: F401  # to register them

vars(celery_app).update(TIME_LIMIT=1, LONGEST_DELAY=0)
for task in celery_app.celery_app.tasks.values():
    task.default_retry_delay = 0
    vars(task).update(retry_backoff=False)
celery_app.celery_app.conf.broker_transport_options |= {
    "unacked_restore_interval": 0.2,
    "unacked_restore_throttle": 1,
}
