from typing import Annotated

from fastapi import APIRouter, Query

from app import schemas
from app.api.deps import CurrentSuperuser, ReadSessionDep, SessionDep
from app.api.errors import ServiceUnavailable, responses
from app.api.route import OneThreadRoute
from app.core.celery_app import broker_is_up, send_task
from app.core.config import settings
from app.db.migrations import current_revisions, newest_revisions
from app.schemas.types import Email
from app.utils import queue_email

router = APIRouter(prefix="/utils", tags=["utils"], route_class=OneThreadRoute)


@router.post("/test-celery/", status_code=201, responses=responses(401, 403, 503))
def test_celery(_: CurrentSuperuser, msg: schemas.Msg) -> schemas.Msg:
    """Have the worker run a task; Flower shows what it returned."""
    send_task("app.worker.test_celery", msg.msg)
    return schemas.Msg(msg="Word received")


@router.post("/test-email/", status_code=201, responses=responses(401, 403, 503))
def test_email(
    db: SessionDep, _: CurrentSuperuser, email_to: Annotated[Email, Query()]
) -> schemas.Msg:
    if not settings.EMAILS_ENABLED:
        raise ServiceUnavailable("Mail is not configured: set SMTP_HOST and EMAILS_FROM_EMAIL")
    queue_email(db, "send_test_email", email_to)
    return schemas.Msg(msg="Test email sent")


@router.get("/health/live")
async def health_live() -> schemas.Msg:
    """The process answers: what containers and the proxy ask."""
    return schemas.Msg(msg="live")


@router.get("/health/ready", responses=responses(503))
def health_ready(db: ReadSessionDep) -> schemas.Health:
    """Whether requests can be served: 503 without the database, and only then."""
    current = current_revisions(db)
    return schemas.Health(
        database="up",
        redis="up" if broker_is_up() else "down",
        schema_revision=(
            "unknown" if not current else "current" if current == newest_revisions() else "outdated"
        ),
    )
