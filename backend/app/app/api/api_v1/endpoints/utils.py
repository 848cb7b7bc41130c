from typing import Annotated

from fastapi import Query

from app import worker
from app.api.deps import CurrentSuperuser, ReadSessionDep, SessionDep
from app.api.exceptions import MailNotConfigured
from app.api.routing import APIRouter, raises
from app.core.celery_app import QueueUnreachable
from app.core.config import settings
from app.core.redis import broker_is_up
from app.db.migrations import current_revisions, newest_revisions
from app.schemas.health import Health
from app.schemas.msg import Msg
from app.schemas.types import Email

router = APIRouter(prefix="/utils", tags=["utils"])


@router.post("/test-celery/", status_code=201)
@raises(QueueUnreachable)
def test_celery(_: CurrentSuperuser, msg: Msg) -> Msg:
    """Enqueue a test task for the worker. Flower shows its result."""
    worker.test_celery.apply_async((msg.msg,), ignore_result=True)
    return Msg(msg="Word received")


@router.post("/test-email/", status_code=201)
@raises(MailNotConfigured)
def test_email(
    db: SessionDep, superuser: CurrentSuperuser, email_to: Annotated[Email, Query()]
) -> Msg:
    if not settings.EMAILS_ENABLED:
        raise MailNotConfigured
    worker.send_test_email.enqueue(db, superuser, email_to)
    return Msg(msg="Test email sent")


@router.get("/health/live")
async def health_live() -> Msg:
    """Return 200 while the process responds, for health checks of containers and the proxy."""
    return Msg(msg="live")


@router.get("/health/ready")
def health_ready(db: ReadSessionDep) -> Health:
    """Return 200 if requests can be served, or 503 if the database is unreachable.

    The states of Redis and of the schema are only reported.
    """
    current = current_revisions(db)
    return Health(
        database="up",
        redis="up" if broker_is_up() else "down",
        schema_revision=(
            "unknown" if not current else "current" if current == newest_revisions() else "outdated"
        ),
    )
