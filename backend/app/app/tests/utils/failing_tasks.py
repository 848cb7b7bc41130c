"""Tasks that fail while they handle secrets."""

from sqlalchemy import insert

from app.core.celery_app import celery_app
from app.db.session import SessionLocal
from app.models import User


class TaskBug(Exception):
    pass


@celery_app.task
def fail_with_secret(secret: str) -> None:
    local_variable = {"password": secret}
    if local_variable:
        raise TaskBug("a bug in a task\x1b[31m")


@celery_app.task
def fail_in_database(secret: str) -> None:
    with SessionLocal() as db:
        db.execute(insert(User).values(email=None, hashed_password=secret))
