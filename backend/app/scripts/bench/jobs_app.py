"""The application, with two endpoints that do the same work. The second also enqueues a job."""

# A project may have removed Item.
# mypy: ignore-errors
# ruff: noqa: I001

from app import worker
from app.api.deps import CurrentUser, SessionDep
from app.api.routing import APIRouter
from app.core.config import settings
from app.crud.crud_item import item as crud_item
from app.main import app
from app.models.item import Item
from app.schemas import item as schemas

router = APIRouter(prefix=f"{settings.API_V1_STR}/bench")


@router.post("/item", response_model=schemas.Item)
def create_item(db: SessionDep, current_user: CurrentUser, item_in: schemas.ItemCreate) -> Item:
    return crud_item.create_with_owner(db, obj_in=item_in, owner_id=current_user.id)


@router.post("/item-and-job", response_model=schemas.Item)
def create_item_and_job(
    db: SessionDep, current_user: CurrentUser, item_in: schemas.ItemCreate
) -> Item:
    worker.send_new_account_email.enqueue(db, current_user, current_user.id)
    return crud_item.create_with_owner(db, obj_in=item_in, owner_id=current_user.id)


app.include_router(router)
