import pytest
from sqlalchemy.orm import Session

from app import crud, schemas
from app.crud.exceptions import OwnerGone
from app.schemas import ItemCreate, ItemUpdate
from app.schemas.page import PageQuery
from app.tests.utils.item import create_random_item
from app.tests.utils.user import create_random_user


def test_create_item(db: Session) -> None:
    user = create_random_user(db)
    item_in = ItemCreate(title="A title", description="A description")
    item = crud.item.create_with_owner(db, obj_in=item_in, owner_id=user.id)
    assert item.title == "A title"
    assert item.description == "A description"
    assert item.owner_id == user.id


def test_create_item_without_owner(db: Session) -> None:
    with pytest.raises(OwnerGone):
        create_random_item(db, owner_id=2**31 - 1)


def test_get_item(db: Session) -> None:
    item = create_random_item(db)
    assert crud.item.get(db, item.id) is item
    assert crud.item.get(db, 2**31 - 1) is None


def test_get_multi(db: Session) -> None:
    user = create_random_user(db)
    items = [create_random_item(db, owner_id=user.id) for _ in range(4)]
    create_random_item(db)
    assert crud.item.get_multi_by_owner(db, owner_id=user.id) == items
    assert crud.item.get_multi_by_owner(db, owner_id=user.id, skip=1, limit=2) == items[1:3]
    assert len(crud.item.get_multi(db, limit=5)) == 5


def test_update_item(db: Session) -> None:
    item = create_random_item(db)
    title = item.title
    crud.item.update(db, db_obj=item, obj_in=ItemUpdate(description=None))
    assert item.title == title
    assert item.description is None


def test_remove_item(db: Session) -> None:
    item = create_random_item(db)
    assert crud.item.remove(db, id=item.id) is item
    assert crud.item.get(db, item.id) is None
    assert crud.item.remove(db, id=item.id) is None


@pytest.mark.parametrize("q", ["50%", "a_b", "back\\slash", "ÄPFEL"])
def test_search_takes_every_character_as_it_is(db: Session, q: str) -> None:
    user = create_random_user(db)
    for title in ("a 50% rise", "a_b", "acb", "back\\slash", "Äpfel", "50 percent"):
        item_in = ItemCreate(title=title)
        crud.item.create_with_owner(db, obj_in=item_in, owner_id=user.id)
    page = crud.item.get_page(db, PageQuery[schemas.Item](q=q), owner_id=user.id)
    assert page.total == 1
    assert q.lower() in page.rows[0]["title"].lower()
