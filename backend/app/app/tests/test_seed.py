"""The sample data of app.seed."""

import sys
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from app import crud, seed
from app.core.config import settings
from app.db.base import Base
from app.models import User
from app.sample_values import SampleValues, create_schema
from app.tests.utils.sample_note import (
    SampleComment,
    SampleNote,
    SampleNoteCreate,
    create_random_note,
)
from app.tests.utils.user import create_random_user


class SampleCommentCreate(BaseModel):
    note_id: int


def table(model: Any) -> Table:
    assert isinstance(model.__table__, Table)
    return model.__table__


def fill(
    db: Session,
    model: Any,
    schema: type[BaseModel],
    users: list[int],
    rows: int,
    random_seed: int = 0,
) -> list[Any]:
    """Fill the table of a model, and return the new rows."""
    last_id = db.scalar(select(func.max(model.id))) or 0
    values = SampleValues(str(random_seed))
    new_rows = seed.resource_rows(db, values, table(model), schema, users)
    seed.fill(db, new_rows, table(model), rows)
    return list(db.scalars(select(model).where(model.id > last_id)))


@pytest.fixture
def users(db: Session) -> list[int]:
    return [create_random_user(db).id for _ in range(3)]


def test_rows_fit_the_create_schema(db: Session, users: list[int]) -> None:
    notes = fill(db, SampleNote, SampleNoteCreate, users, 200)
    assert len(notes) == 200
    for note in notes:
        SampleNoteCreate.model_validate(note, from_attributes=True)
    # Every kind of value occurs.
    assert {note.status for note in notes} == {"open", "done"}
    assert {note.is_public for note in notes} == {True, False}
    for name in ("price", "due_on", "starts_at", "text", "code", "reviewer_id"):
        values = {getattr(note, name) for note in notes}
        assert None in values
        assert len(values) > 2
    assert {note.owner_id for note in notes} == set(users)
    assert {note.next_id for note in notes} == {None}
    assert (
        max(note.created_at for note in notes) - min(note.created_at for note in notes)
    ).days > 200


def test_rows_refer_to_rows_of_their_owner(db: Session, users: list[int]) -> None:
    """A user without a note cannot own a comment, which requires a note."""
    without_note = users.pop()
    create_random_note(db)
    notes = {note.id: note for note in fill(db, SampleNote, SampleNoteCreate, users, 20)}
    comments = fill(db, SampleComment, SampleCommentCreate, [without_note, *users], 50)
    assert len(comments) == 50
    assert {comment.owner_id for comment in comments} == set(users)
    for comment in comments:
        assert notes[comment.note_id].owner_id == comment.owner_id


def test_one_row_per_table_is_enough(db: Session, users: list[int]) -> None:
    for random_seed in range(5):
        (note,) = fill(db, SampleNote, SampleNoteCreate, users, 1, random_seed)
        assert note.owner_id == users[0]


def test_missing_target_is_reported(db: Session, users: list[int]) -> None:
    with pytest.raises(SystemExit, match="sample_comment requires rows"):
        fill(db, SampleComment, SampleCommentCreate, users, 1)


def test_unique_values_stay_unique(db: Session, users: list[int]) -> None:
    for _ in range(2):  # The second run draws the same values as the first.
        values = SampleValues("0")
        row = next(seed.resource_rows(db, values, table(SampleNote), SampleNoteCreate, users))
        rows = iter([row | {"code": "A"}, row | {"code": "B"}, row | {"code": "A"}])
        seed.fill(db, rows, table(SampleNote), 3)
    codes = db.scalars(select(SampleNote.code)).all()
    assert sorted(str(code) for code in codes) == ["A", "B"]


def test_seed_runs_twice(db: Session, capsys: pytest.CaptureFixture[str]) -> None:
    before = db.scalar(select(func.count()).select_from(User)) or 0
    for _ in range(2):
        seed.main(["--users", "120", "--rows", "30"])
    assert "rows/s" in capsys.readouterr().out
    users = list(db.scalars(select(User).order_by(User.id)))[before:]
    assert len(users) == 240
    for user in users:
        assert user.email.partition("@")[2] in ("example.com", "example.net", "example.org")
        assert not user.is_superuser
    assert sum(not user.is_active for user in users) == 24
    assert crud.user.authenticate(db, email=users[0].email, password=seed.PASSWORD) == users[0]
    # Every resource of the project got rows.
    for model in (mapper.class_ for mapper in Base.registry.mappers):
        schema = create_schema(model)
        if schema and model is not User and table(model).metadata is Base.metadata:
            rows = db.scalars(select(model).where(model.owner_id.in_([user.id for user in users])))
            valid = [schema.model_validate(row, from_attributes=True) for row in rows]
            assert len(valid) == 60


def test_equal_seeds_give_equal_rows() -> None:
    first, again, other = (SampleValues(text).person() for text in ("1", "1", "2"))
    assert first == again != other


def test_failed_run_writes_nothing(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    before = db.scalar(select(func.count()).select_from(User))
    monkeypatch.setattr(seed, "resource_rows", fail)
    with pytest.raises(RuntimeError):
        seed.main(["--users", "1"])
    assert db.scalar(select(func.count()).select_from(User)) == before


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_seed_is_only_for_development(
    db: Session, monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    before = db.scalar(select(func.count()).select_from(User))
    monkeypatch.setattr(settings, "ENVIRONMENT", environment)
    with pytest.raises(SystemExit, match=f"ENVIRONMENT is {environment}"):
        seed.main([])
    assert db.scalar(select(func.count()).select_from(User)) == before


@pytest.mark.usefixtures("db")
def test_missing_faker_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faker", None)
    with pytest.raises(SystemExit, match="pip install faker"):
        seed.main([])
