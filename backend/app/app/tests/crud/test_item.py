from sqlalchemy.orm import Session

from app.crud.crud_item import item as crud_item
from app.models.user import User
from app.schemas.item import ItemCreate, ItemUpdate
from app.tests.utils.item import create_random_item


def test_create_item(db: Session, user: User) -> None:
    item_in = ItemCreate(title="A title", description="A description")
    item = crud_item.create_with_owner(db, obj_in=item_in, owner_id=user.id)
    assert (item.title, item.description, item.owner_id) == ("A title", "A description", user.id)
    assert crud_item.get(db, item.id) is item


def test_update_item(db: Session) -> None:
    item = create_random_item(db)
    title = item.title
    crud_item.update(db, db_obj=item, obj_in=ItemUpdate(description=None))
    assert (item.title, item.description) == (title, None)


def test_remove_item(db: Session) -> None:
    item = create_random_item(db)
    assert crud_item.remove(db, id=item.id) is item
    assert crud_item.get(db, item.id) is None
