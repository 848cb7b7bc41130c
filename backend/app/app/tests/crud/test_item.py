from sqlalchemy.orm import Session

from app.crud.crud_item import item as crud_item
from app.models.item import Item
from app.models.user import User
from app.schemas.item import ItemUpdate
from app.tests.utils.item import create_random_item


def test_create_item(db: Session, user: User) -> None:
    item = create_random_item(db, owner_id=user.id)
    assert item.owner_id == user.id
    assert crud_item.get(db, item.id) is item


def test_update_without_fields_changes_nothing(db: Session) -> None:
    item = create_random_item(db)
    columns = Item.__table__.columns.keys()
    before = [getattr(item, column) for column in columns]
    crud_item.update(db, db_obj=item, obj_in=ItemUpdate())
    assert [getattr(item, column) for column in columns] == before


def test_remove_item(db: Session) -> None:
    item = create_random_item(db)
    assert crud_item.remove(db, id=item.id) is item
    assert crud_item.get(db, item.id) is None
