"""The endpoints of the sample notes. They are not in the OpenAPI schema of the app."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.api.deps import (
    CurrentUser,
    IfMatchDep,
    PathId,
    ReadSessionDep,
    SessionDep,
    WriterDep,
    check_reference,
    get_own_row,
    get_readable_row,
    readable_rows,
)
from app.api.exceptions import NotFound, PermissionDenied
from app.api.pagination import PAGE_RESPONSE, page_response
from app.api.routing import APIRouter, raises
from app.api.uploads import ACCEPTED, CSV_BODY, MAX_IMPORT_BYTES, UploadDep, accepted
from app.core.config import settings
from app.crud.crud_user import user as crud_user
from app.crud.exceptions import StillReferenced
from app.main import app
from app.models.job import Job
from app.schemas import job as job_schemas
from app.tests.utils.sample_note import (
    SampleNote,
    SampleNoteCreate,
    SampleNoteQuery,
    SampleNoteRead,
    SampleNoteUpdate,
    crud_sample_note,
    export_notes,
    import_notes,
)

router = APIRouter(prefix="/sample-notes", tags=["sample-notes"], rows=crud_sample_note)


@router.get("/", response_model=list[SampleNoteRead], responses=PAGE_RESPONSE)
def read_sample_notes(
    request: Request,
    db: ReadSessionDep,
    current_user: CurrentUser,
    query: Annotated[SampleNoteQuery, Query()],
) -> Response:
    filters = readable_rows(crud_sample_note, current_user)
    return page_response(request, query, crud_sample_note.get_page(db, query, **filters))


@router.post("/", response_model=SampleNoteRead, status_code=201)
@raises(NotFound, PermissionDenied)
def create_sample_note(
    db: SessionDep, current_user: CurrentUser, note_in: SampleNoteCreate
) -> SampleNote:
    check_reference(db, crud_sample_note, note_in, "next_id", current_user)
    check_reference(db, crud_user, note_in, "reviewer_id", current_user)
    return crud_sample_note.create_with_owner(db, obj_in=note_in, owner_id=current_user.id)


@router.post(
    "/import",
    response_model=job_schemas.Job,
    status_code=202,
    responses=ACCEPTED,
    openapi_extra=CSV_BODY,
    max_body_size=MAX_IMPORT_BYTES,
)
def import_sample_notes(
    db: SessionDep, current_user: CurrentUser, upload: UploadDep, response: Response
) -> Job:
    job = import_notes.enqueue(db, current_user, upload.key, current_user.id)
    job.source = upload.name or None
    return accepted(response, job)


@router.post("/export", response_model=job_schemas.Job, status_code=202, responses=ACCEPTED)
def export_sample_notes(
    db: SessionDep,
    current_user: CurrentUser,
    query: Annotated[SampleNoteQuery, Query()],
    response: Response,
) -> Job:
    job = export_notes.enqueue(db, current_user, query.parameters(), current_user.id)
    return accepted(response, job)


@router.get("/{id}", response_model=SampleNoteRead)
@raises(NotFound, PermissionDenied)
def read_sample_note(db: ReadSessionDep, current_user: CurrentUser, note_id: PathId) -> SampleNote:
    return get_readable_row(db, crud_sample_note, note_id, current_user)


@router.put("/{id}", response_model=SampleNoteRead)
@raises(NotFound, PermissionDenied)
def update_sample_note(
    db: SessionDep,
    writer: WriterDep,
    if_match: IfMatchDep,
    note_id: PathId,
    note_in: SampleNoteUpdate,
) -> SampleNote:
    caller = writer.lock_caller()
    note = get_own_row(db, crud_sample_note, note_id, caller, for_update=True)
    if_match.check(note)
    check_reference(db, crud_sample_note, note_in, "next_id", caller, row=note)
    check_reference(db, crud_user, note_in, "reviewer_id", caller, row=note)
    return crud_sample_note.update(db, db_obj=note, obj_in=note_in)


@router.delete("/{id}", response_model=SampleNoteRead)
@raises(NotFound, PermissionDenied, StillReferenced)
def delete_sample_note(db: SessionDep, writer: WriterDep, note_id: PathId) -> SampleNote:
    caller = writer.lock_caller()
    note = get_own_row(db, crud_sample_note, note_id, caller, for_update=True)
    crud_sample_note.remove(db, id=note.id)
    return note


app.include_router(router, prefix=settings.API_V1_STR, include_in_schema=False)
