from typing import Annotated

from fastapi import Query, Request, Response

from app.api.deps import CurrentUser, PathId, ReadSessionDep, SessionDep, WriterDep
from app.api.exceptions import NotFound, PermissionDenied
from app.api.pagination import PAGE_RESPONSE, page_response
from app.api.routing import APIRouter, raises
from app.crud.crud_job import job as crud_job
from app.crud.crud_user import user as crud_user
from app.crud.exceptions import JobFinished
from app.models.job import Job
from app.models.user import User
from app.schemas import job as schemas

router = APIRouter(prefix="/jobs", tags=["jobs"])


def require_job(job: Job | None, user: User) -> Job:
    """Return the job if the user asked for it or is a superuser."""
    if job is None:
        raise NotFound("Job not found")
    if job.owner_id != user.id and not crud_user.is_superuser(user):
        raise PermissionDenied
    return job


@router.get("/", response_model=list[schemas.Job], responses=PAGE_RESPONSE)
def read_jobs(
    request: Request,
    db: ReadSessionDep,
    current_user: CurrentUser,
    query: Annotated[schemas.JobQuery, Query()],
) -> Response:
    """Return the jobs that the caller asked for; superusers get all."""
    filters = {} if crud_user.is_superuser(current_user) else {"owner_id": current_user.id}
    return page_response(request, query, crud_job.get_page(db, query, **filters))


@router.get("/{id}", response_model=schemas.Job)
@raises(NotFound, PermissionDenied)
def read_job(db: ReadSessionDep, current_user: CurrentUser, job_id: PathId) -> Job:
    return require_job(crud_job.get(db, job_id), current_user)


@router.post("/{id}/cancel", response_model=schemas.Job)
@raises(NotFound, PermissionDenied, JobFinished)
def cancel_job(db: SessionDep, writer: WriterDep, job_id: PathId) -> Job:
    """Cancel a job. None of its changes to the database are kept."""
    caller = writer.lock_caller()
    return crud_job.cancel(db, require_job(crud_job.get(db, job_id, for_update=True), caller))
