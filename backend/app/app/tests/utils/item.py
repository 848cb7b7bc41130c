from typing import Any

from sqlalchemy.orm import Session

from app.crud.crud_item import item as crud_item
from app.models.item import Item
from app.schemas.item import ItemCreate
from app.tests.utils.user import create_random_user
from app.tests.utils.utils import random_lower_string


def create_random_item(db: Session, *, owner_id: int | None = None, **fields: Any) -> Item:
    if owner_id is None:
        owner_id = create_random_user(db).id
    values: dict[str, Any] = {
        "title": random_lower_string(),
        "description": random_lower_string(),
    }
    item_in = ItemCreate(**values | fields)
    return crud_item.create_with_owner(db, obj_in=item_in, owner_id=owner_id)
