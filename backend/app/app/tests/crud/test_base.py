"""CRUDBase and CRUDOwned, tested with the resource in utils/sample_note.py."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from app.crud.base import CRUDBase
from app.crud.exceptions import OwnerGone
from app.models import User
from app.schemas.page import PageQuery
from app.tests.utils.sample_note import (
    SampleNote,
    SampleNoteCreate,
    SampleNoteRead,
    SampleNoteUpdate,
    create_random_note,
    crud_sample_note,
)

MISSING_ID = 2**31 - 1


def test_create_with_owner(db: Session, user: User) -> None:
    note_in = SampleNoteCreate(title="A title", text="A text")
    note = crud_sample_note.create_with_owner(db, obj_in=note_in, owner_id=user.id)
    assert (note.title, note.text, note.owner_id) == ("A title", "A text", user.id)


def test_owner_must_exist(db: Session) -> None:
    with pytest.raises(OwnerGone):
        create_random_note(db, owner_id=MISSING_ID)


def test_get(db: Session) -> None:
    note = create_random_note(db)
    for for_update in (False, True):
        assert crud_sample_note.get(db, note.id, for_update=for_update) is note
        assert crud_sample_note.get(db, MISSING_ID, for_update=for_update) is None


def test_get_multi(db: Session, user: User) -> None:
    notes = [create_random_note(db, owner_id=user.id) for _ in range(4)]
    create_random_note(db)
    assert crud_sample_note.get_multi_by_owner(db, owner_id=user.id) == notes
    page = crud_sample_note.get_multi_by_owner(db, owner_id=user.id, skip=1, limit=2)
    assert page == notes[1:3]
    assert len(crud_sample_note.get_multi(db, limit=5)) == 5


@pytest.mark.parametrize("change", [SampleNoteUpdate(text=None), {"text": None}])
def test_update_writes_only_set_fields(
    db: Session, change: SampleNoteUpdate | dict[str, Any]
) -> None:
    note = create_random_note(db, title="A title", price=Decimal(1))
    crud_sample_note.update(db, db_obj=note, obj_in=change)
    db.expire_all()
    assert (note.title, note.text, note.price) == ("A title", None, Decimal(1))


def test_remove(db: Session) -> None:
    note = create_random_note(db)
    assert crud_sample_note.remove(db, id=note.id) is note
    assert crud_sample_note.get(db, note.id) is None
    assert crud_sample_note.remove(db, id=note.id) is None


@pytest.mark.parametrize("q", ["50%", "a_b", "back\\slash", "ÄPFEL"])
def test_search_is_literal(db: Session, user: User, q: str) -> None:
    for title in ("a 50% rise", "a_b", "acb", "back\\slash", "Äpfel", "50 percent"):
        create_random_note(db, owner_id=user.id, title=title)
    page = crud_sample_note.get_page(db, PageQuery[SampleNoteRead](q=q), owner_id=user.id)
    assert page.total == 1
    assert q.lower() in page.rows[0]["title"].lower()


TRIGGER = """
CREATE FUNCTION shout() RETURNS trigger AS 'BEGIN NEW.text = upper(NEW.text); RETURN NEW; END'
LANGUAGE plpgsql;
CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON sample_note
FOR EACH ROW EXECUTE FUNCTION shout();
"""


def test_written_row_is_read_back(db: Session) -> None:
    """The database may round values, set defaults and run triggers."""
    db.execute(text(TRIGGER))
    note = create_random_note(db, price=Decimal("1234.5"), text="net")
    assert (str(note.price), note.currency, note.text) == ("1234.50", "EUR", "NET")
    crud_sample_note.update(db, db_obj=note, obj_in={"price": Decimal("0.999"), "text": "gross"})
    assert (str(note.price), note.text) == ("1.00", "GROSS")


def test_locked_row_is_refreshed(db: Session) -> None:
    """The row may have changed since the session first read it."""
    note = create_random_note(db, title="before")
    change = update(SampleNote).values(title="after").where(SampleNote.id == note.id)
    db.execute(change, execution_options={"synchronize_session": False})
    locked = crud_sample_note.get(db, note.id, for_update=True)
    assert locked is note
    assert locked.title == "after"


def test_search_without_columns_finds_nothing(db: Session) -> None:
    class Unsearchable(CRUDBase[SampleNote, BaseModel, BaseModel]):
        read_schema = SampleNoteRead

    create_random_note(db, title="a title")
    page = Unsearchable(SampleNote).get_page(db, PageQuery[SampleNoteRead](q="a title"))
    assert (page.rows, page.total) == ([], 0)


def test_list_without_read_schema_is_an_error(db: Session) -> None:
    crud_rows = CRUDBase[SampleNote, BaseModel, BaseModel](SampleNote)
    with pytest.raises(TypeError, match="read_schema"):
        crud_rows.get_page(db, PageQuery[SampleNoteRead]())


def test_field_without_column_is_an_error_at_start() -> None:
    class WithLikes(SampleNoteRead):
        likes: int

    class CRUDWithLikes(CRUDBase[SampleNote, BaseModel, BaseModel]):
        read_schema = WithLikes

    with pytest.raises(TypeError, match=r"WithLikes has \{'likes'\}, but the model SampleNote"):
        CRUDWithLikes(SampleNote)
