import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app import crud, schemas
from app.crud.base import CRUDBase
from app.models import User
from app.schemas import UserCreate, UserUpdate
from app.schemas.page import PageQuery
from app.tests.utils.user import create_random_user


def test_locked_row_is_as_stored(db: Session) -> None:
    """A row that the session has read before may have changed since."""
    user = create_random_user(db)
    change = update(User).values(full_name="changed").where(User.id == user.id)
    db.execute(change, execution_options={"synchronize_session": False})
    locked = crud.user.get(db, user.id, for_update=True)
    assert locked is user
    assert locked.full_name == "changed"


def test_search_without_columns_finds_nothing(db: Session) -> None:
    class Unsearchable(CRUDBase[User, UserCreate, UserUpdate]):
        read_schema = schemas.User

    create_random_user(db, full_name="a name")
    page = Unsearchable(User).get_page(db, PageQuery[schemas.User](q="a name"))
    assert (page.rows, page.total) == ([], 0)


def test_list_without_a_read_schema_is_an_error(db: Session) -> None:
    crud_rows = CRUDBase[User, UserCreate, UserUpdate](User)
    with pytest.raises(TypeError, match="read_schema"):
        crud_rows.get_page(db, PageQuery[schemas.User]())
