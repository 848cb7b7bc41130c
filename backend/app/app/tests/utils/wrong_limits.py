"""Tasks with invalid limits or delays. A worker that includes this module must not start."""

from app.core.celery_app import celery_app


@celery_app.task(soft_time_limit=1000)
def soft_above_default() -> None: ...


@celery_app.task(time_limit=60, soft_time_limit=60)
def soft_equal() -> None: ...


@celery_app.task(time_limit=3600, soft_time_limit=240)
def soft_far_below() -> None: ...


@celery_app.task(time_limit=-1)
def negative() -> None: ...


@celery_app.task(default_retry_delay=3600)
def long_retry_delay() -> None: ...


@celery_app.task(autoretry_for=(OSError,), retry_backoff=True, max_retries=20)
def long_backoff() -> None: ...


@celery_app.task(time_limit=100, soft_time_limit=90)
def sound() -> None: ...
