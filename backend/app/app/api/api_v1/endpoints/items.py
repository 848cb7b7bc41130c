from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response

from app import crud, models, schemas
from app.api.deps import CurrentUser, ReadSessionDep, SessionDep, WriterDep
from app.api.errors import responses
from app.api.pagination import PAGE_RESPONSE, page_response
from app.api.route import OneThreadRoute
from app.schemas.types import Id

router = APIRouter(
    prefix="/items", tags=["items"], route_class=OneThreadRoute, responses=responses(401, 403, 503)
)


def check_access(item: models.Item | None, user: models.User) -> models.Item:
    """Return an item that the user may see and change."""
    if item is None:
        raise HTTPException(404, "Item not found")
    if item.owner_id != user.id and not user.is_superuser:
        raise HTTPException(403, "Not enough permissions")
    return item


@router.get("/", response_model=list[schemas.Item], responses=PAGE_RESPONSE)
def read_items(
    request: Request,
    db: ReadSessionDep,
    current_user: CurrentUser,
    query: Annotated[schemas.ItemQuery, Query()],
) -> Response:
    """Own items; superusers see everybody's."""
    if current_user.is_superuser:
        page = crud.item.get_page(db, query)
    else:
        page = crud.item.get_page(db, query, owner_id=current_user.id)
    return page_response(request, query, page)


@router.post("/", response_model=schemas.Item, status_code=201)
def create_item(
    db: SessionDep, current_user: CurrentUser, item_in: schemas.ItemCreate
) -> models.Item:
    return crud.item.create_with_owner(db, obj_in=item_in, owner_id=current_user.id)


@router.get("/{id}", response_model=schemas.Item, responses=responses(404))
def read_item(db: ReadSessionDep, current_user: CurrentUser, id: Id) -> models.Item:  # noqa: A002
    return check_access(crud.item.get(db, id), current_user)


@router.put("/{id}", response_model=schemas.Item, responses=responses(404))
def update_item(
    db: SessionDep,
    writer: WriterDep,
    id: Id,  # noqa: A002
    item_in: schemas.ItemUpdate,
) -> models.Item:
    # The caller first: deleting a user locks the user before the items, too.
    caller = writer.caller()
    item = check_access(crud.item.get(db, id, for_update=True), caller)
    return crud.item.update(db, db_obj=item, obj_in=item_in)


@router.delete("/{id}", response_model=schemas.Item, responses=responses(404))
def delete_item(db: SessionDep, writer: WriterDep, id: Id) -> models.Item:  # noqa: A002
    caller = writer.caller()
    item = check_access(crud.item.get(db, id, for_update=True), caller)
    crud.item.remove(db, id=item.id)
    return item
