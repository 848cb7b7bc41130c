from typing import Any

from app.api.deps import CurrentUser, ReadSessionDep, readable_rows
from app.api.exceptions import PermissionDenied
from app.api.routing import APIRouter, resources
from app.core.config import settings
from app.core.redis import beat_has_ticked
from app.crud.crud_job import job as crud_job
from app.crud.crud_user import user as crud_user
from app.schemas import dashboard as schemas

router = APIRouter(prefix="/dashboard", tags=["dashboard"])


@router.get("/")
def read_dashboard(db: ReadSessionDep, current_user: CurrentUser) -> schemas.Dashboard:
    """Return the numbers and the latest of the rows that the caller may read.

    Superusers also get users, failed jobs and the states of the parts of the stack.
    """
    is_superuser = crud_user.is_superuser(current_user)
    # Before the first query: no request holds a connection while it waits for Redis.
    ticked = beat_has_ticked() if is_superuser else None
    summaries, latest, has_row = [], [], False
    for path, rows in resources.items():
        try:
            filters = readable_rows(rows, current_user)
        except PermissionDenied:
            continue
        total, new, owns_any, newest = rows.summary(db, user_id=current_user.id, **filters)
        name = rows.model.__tablename__
        summaries.append(schemas.ResourceSummary(name=name, path=path, total=total, new=new))
        latest += [schemas.LatestRow(resource=name, **row) for row in newest]
        has_row = has_row or owns_any
    latest.sort(key=lambda row: row.created_at, reverse=True)
    return schemas.Dashboard(
        resources=summaries,
        latest=latest[:5],
        first_steps=schemas.FirstSteps(
            has_row=has_row,
            has_name=current_user.display_name != current_user.email,
            is_verified=current_user.is_verified,
        ),
        administration=(
            administration(crud_user.summary(db), crud_job.summary(db), ticked)
            if is_superuser
            else None
        ),
    )


def administration(
    users: dict[str, Any], jobs: dict[str, Any], ticked: bool | None
) -> schemas.Administration:
    return schemas.Administration.model_validate(
        {
            "users": users,
            "jobs": jobs,
            "parts": {
                "redis": "down" if ticked is None else "up",
                "celeryworker": "down" if jobs["late"] else "up",
                "celerybeat": "unknown" if ticked is None else "up" if ticked else "down",
                "mail": "configured" if settings.EMAILS_ENABLED else "off",
            },
        }
    )
