from typing import Annotated

from fastapi import Query, Request, Response

from app import worker
from app.api.deps import (
    CurrentUser,
    IfMatchDep,
    PathId,
    ReadSessionDep,
    SessionDep,
    WriterDep,
    get_own_row,
    get_readable_row,
    readable_rows,
)
from app.api.exceptions import NotFound, PermissionDenied
from app.api.pagination import PAGE_RESPONSE, page_response
from app.api.routing import APIRouter, raises
from app.api.uploads import ACCEPTED, CSV_BODY, MAX_IMPORT_BYTES, UploadDep, accepted
from app.crud.crud_item import item as crud_item
from app.crud.exceptions import StillReferenced
from app.models.item import Item
from app.models.job import Job
from app.schemas import item as schemas
from app.schemas import job as job_schemas

router = APIRouter(prefix="/items", tags=["items"], rows=crud_item)


@router.get("/", response_model=list[schemas.Item], responses=PAGE_RESPONSE)
def read_items(
    request: Request,
    db: ReadSessionDep,
    current_user: CurrentUser,
    query: Annotated[schemas.ItemQuery, Query()],
) -> Response:
    """Return the caller's items; superusers get everybody's."""
    filters = readable_rows(crud_item, current_user)
    return page_response(request, query, crud_item.get_page(db, query, **filters))


@router.post("/", response_model=schemas.Item, status_code=201)
def create_item(db: SessionDep, current_user: CurrentUser, item_in: schemas.ItemCreate) -> Item:
    return crud_item.create_with_owner(db, obj_in=item_in, owner_id=current_user.id)


@router.post(
    "/import",
    response_model=job_schemas.Job,
    status_code=202,
    responses=ACCEPTED,
    openapi_extra=CSV_BODY,
    max_body_size=MAX_IMPORT_BYTES,
)
def import_items(
    db: SessionDep, current_user: CurrentUser, upload: UploadDep, response: Response
) -> Job:
    """Create items from a CSV file: a job creates all of its rows, or none."""
    job = worker.import_items.enqueue(db, current_user, upload.key, current_user.id)
    job.source = upload.name or None
    return accepted(response, job)


@router.post("/export", response_model=job_schemas.Job, status_code=202, responses=ACCEPTED)
def export_items(
    db: SessionDep,
    current_user: CurrentUser,
    query: Annotated[schemas.ItemQuery, Query()],
    response: Response,
) -> Job:
    """Write all items that the query finds to a CSV file. Skip and limit have no effect."""
    job = worker.export_items.enqueue(db, current_user, query.parameters(), current_user.id)
    return accepted(response, job)


@router.get("/{id}", response_model=schemas.Item)
@raises(NotFound, PermissionDenied)
def read_item(db: ReadSessionDep, current_user: CurrentUser, item_id: PathId) -> Item:
    return get_readable_row(db, crud_item, item_id, current_user)


@router.put("/{id}", response_model=schemas.Item)
@raises(NotFound, PermissionDenied)
def update_item(
    db: SessionDep,
    writer: WriterDep,
    if_match: IfMatchDep,
    item_id: PathId,
    item_in: schemas.ItemUpdate,
) -> Item:
    caller = writer.lock_caller()
    item = get_own_row(db, crud_item, item_id, caller, for_update=True)
    if_match.check(item)
    return crud_item.update(db, db_obj=item, obj_in=item_in)


@router.delete("/{id}", response_model=schemas.Item)
@raises(NotFound, PermissionDenied, StillReferenced)
def delete_item(db: SessionDep, writer: WriterDep, item_id: PathId) -> Item:
    caller = writer.lock_caller()
    item = get_own_row(db, crud_item, item_id, caller, for_update=True)
    crud_item.remove(db, id=item.id)
    return item
