"""A resource for tests of the behaviour that all resources share.

It has the parts of any resource, but in one file, and columns of every type. The table has separate
metadata, so that Alembic ignores it. The endpoints are in sample_note_api.py.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import MISSING, BaseModel, Field, StringConstraints
from sqlalchemy import ForeignKey, MetaData, Numeric, String, Text, false
from sqlalchemy.orm import (
    Mapped,
    Session,
    declared_attr,
    mapped_column,
    relationship,
    synonym,
)

from app.core.config import settings
from app.crud.base import CRUDBase, CRUDOwned
from app.crud.crud_user import user as crud_user
from app.csv_files import csv_jobs
from app.db.base import Base
from app.db.base_class import PROTECT, OwnedBase
from app.models.user import User
from app.schemas.page import PageQuery
from app.schemas.types import NOT_BLANK, DateTime, ExactDecimal, Id, Integer, ReadModel, Reference
from app.tests.utils.user import create_random_user
from app.tests.utils.utils import random_lower_string

SAMPLE_NOTES = f"{settings.API_V1_STR}/sample-notes/"

own_metadata = MetaData(naming_convention=Base.metadata.naming_convention)
# A foreign key needs its target in the same metadata: owner_id refers to this copy.
Base.metadata.tables["user"].to_metadata(own_metadata)


class Owned(OwnedBase):
    __abstract__ = True
    metadata = own_metadata

    @declared_attr
    def owner(cls) -> Mapped[User]:  # noqa: N805  # SQLAlchemy calls it with the class
        # The foreign key refers to the copy.
        same = f"foreign({cls.__name__}.owner_id) == User.id"
        return relationship(primaryjoin=same, lazy="joined", innerjoin=True)


class SampleNote(Owned):
    title: Mapped[str] = mapped_column(String(255))
    text: Mapped[str | None] = mapped_column(Text)
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    rate: Mapped[Decimal | None] = mapped_column(Numeric(20, 9))
    currency: Mapped[str] = mapped_column(server_default="EUR")
    status: Mapped[str] = mapped_column(server_default="open")
    stars: Mapped[int] = mapped_column(server_default="1")
    due_on: Mapped[date | None]
    starts_at: Mapped[datetime | None]
    is_public: Mapped[bool] = mapped_column(server_default=false())
    code: Mapped[str | None] = mapped_column(String(32), unique=True)
    next_id: Mapped[int | None] = mapped_column(
        ForeignKey("sample_note.id", ondelete="SET NULL"), index=True
    )
    reviewer_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), index=True
    )

    display_name: Mapped[str] = synonym("title")
    next: Mapped["SampleNote | None"] = relationship(
        foreign_keys=[next_id], remote_side="SampleNote.id", lazy="joined", join_depth=1
    )


class SampleComment(Owned):
    """Requires a note."""

    note_id: Mapped[int] = mapped_column(
        ForeignKey("sample_note.id", ondelete="CASCADE"), index=True, info=PROTECT
    )


Title = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NOT_BLANK)]
NoteText = Annotated[str, StringConstraints(max_length=10_000, pattern=NOT_BLANK)]
Price = Annotated[ExactDecimal, Field(max_digits=10, decimal_places=2)]
Rate = Annotated[ExactDecimal, Field(max_digits=20, decimal_places=9)]
Status = Literal["open", "done"]
Code = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=NOT_BLANK)]


class SampleNoteCreate(BaseModel):
    title: Title
    text: NoteText | None = None
    price: Price | None = None
    rate: Rate | None = None
    status: Status = "open"
    stars: Integer = 1
    due_on: date | None = None
    starts_at: DateTime | None = None
    is_public: bool = False
    code: Code | None = None
    next_id: Id | None = None
    reviewer_id: Id | None = None


class SampleNoteUpdate(BaseModel):
    title: Title | MISSING = MISSING
    text: NoteText | None = None
    price: Price | None = None
    rate: Rate | None = None
    status: Status | MISSING = MISSING
    stars: Integer | MISSING = MISSING
    due_on: date | None = None
    starts_at: DateTime | None = None
    is_public: bool | MISSING = MISSING
    code: Code | None = None
    next_id: Id | None = None
    reviewer_id: Id | None = None


class SampleNoteRead(ReadModel):
    title: str
    text: str | None
    price: Price | None
    rate: Rate | None
    currency: str
    status: Status
    stars: int
    due_on: date | None
    starts_at: datetime | None
    is_public: bool
    code: str | None
    next_id: int | None
    next: Reference | None
    reviewer_id: int | None
    owner_id: int
    owner: Reference


class SampleNoteQuery(PageQuery[SampleNoteRead]):
    status: Status | None = None
    is_public: bool | None = None
    owner_id: Id | None = None


class CRUDSampleNote(CRUDOwned[SampleNote, SampleNoteCreate, SampleNoteUpdate]):
    read_schema = SampleNoteRead
    create_schema = SampleNoteCreate
    search_columns = (SampleNote.title, SampleNote.text)

    @property
    def references(self) -> Mapping[str, CRUDBase[Any, Any, Any]]:
        return {"next_id": self, "reviewer_id": crud_user}


crud_sample_note = CRUDSampleNote(SampleNote)

import_notes, export_notes = csv_jobs("notes", crud_sample_note, SampleNoteQuery)


def create_random_note(db: Session, *, owner_id: int | None = None, **fields: Any) -> SampleNote:
    if owner_id is None:
        owner_id = create_random_user(db).id
    note_in = SampleNoteCreate(**{"title": random_lower_string(), "text": "text"} | fields)
    return crud_sample_note.create_with_owner(db, obj_in=note_in, owner_id=owner_id)
