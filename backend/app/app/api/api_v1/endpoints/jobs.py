from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse

from app.api.deps import (
    AccessPayload,
    CurrentUser,
    PathId,
    ReadSessionDep,
    SessionDep,
    WriterDep,
)
from app.api.exceptions import DATABASE_ERRORS, NotFound, PermissionDenied
from app.api.job_events import JobState, JobStream, job_state, job_streams
from app.api.pagination import PAGE_RESPONSE, page_response
from app.api.routing import APIRouter, raises
from app.core import files
from app.core.files import FileStoreUnavailable
from app.crud.crud_job import job as crud_job
from app.crud.crud_user import user as crud_user
from app.crud.exceptions import JobFinished
from app.db.session import ReadSession
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


@router.get("/{id}/report", response_model=list[schemas.Problem])
@raises(NotFound, PermissionDenied)
def read_report(
    db: ReadSessionDep, current_user: CurrentUser, job_id: PathId
) -> list[dict[str, Any]]:
    """Return the problems for which an import failed. There are at most 1000."""
    return crud_job.get_report(db, require_job(crud_job.get(db, job_id), current_user).id)


@router.get(
    "/{id}/file",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
@raises(NotFound, PermissionDenied, FileStoreUnavailable)
def read_file(db: ReadSessionDep, current_user: CurrentUser, job_id: PathId) -> Response:
    """Return the file that a job has written."""
    job = require_job(crud_job.get(db, job_id), current_user)
    if job.file is None:
        raise NotFound("The job has written no file")
    try:
        size, content = files.stream(job.file_key)
    except FileNotFoundError as error:
        raise NotFound("File not found") from error
    headers = {
        "Content-Disposition": f'attachment; filename="{job.file}"',
        "Content-Length": str(size),
    }
    return StreamingResponse(content, media_type="text/csv", headers=headers)


@raises(NotFound, PermissionDenied, *DATABASE_ERRORS)
def get_job_state(current_user: CurrentUser, job_id: PathId) -> JobState:
    """Read the job before the stream starts, so that errors are ordinary responses."""
    with ReadSession() as db:
        return job_state(require_job(crud_job.get(db, job_id), current_user))


async def get_job_stream(
    state: Annotated[JobState, Depends(get_job_state)],
    caller: AccessPayload,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[JobStream]:
    """Yield the stream, until the response has ended or the client has disconnected."""
    stream = JobStream(state, caller, last_event_id)
    with job_streams.opened(stream):
        yield stream


# The generator of the web app's client expects the type of the data of an event.
EVENTS_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events of the type `job`, whose data is the job",
        "content": {"text/event-stream": {"schema": {"$ref": "#/components/schemas/Job"}}},
    }
}


@router.get("/{id}/events", response_class=Response, responses=EVENTS_RESPONSE)
async def read_job_events(stream: Annotated[JobStream, Depends(get_job_stream)]) -> Response:
    """Send the job at once, and again whenever it has changed, until it has finished.

    The stream also ends if the job is deleted, if the caller may no longer read it, when the token
    expires, and when the server stops. With `Last-Event-ID`, a known state is not sent again.
    """
    return EventSourceResponse(aiter(stream))


@router.post("/{id}/cancel", response_model=schemas.Job)
@raises(NotFound, PermissionDenied, JobFinished)
def cancel_job(db: SessionDep, writer: WriterDep, job_id: PathId) -> Job:
    """Cancel a job. None of its changes to the database are kept."""
    caller = writer.lock_caller()
    return crud_job.cancel(db, require_job(crud_job.get(db, job_id, for_update=True), caller))
