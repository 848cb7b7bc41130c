from typing import Annotated

from pydantic import MISSING, BaseModel, StringConstraints

from app.schemas.page import PageQuery
from app.schemas.types import NOT_BLANK, Id, ReadModel, Reference

Title = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NOT_BLANK)]
Description = Annotated[str, StringConstraints(max_length=10_000, pattern=NOT_BLANK)]


class ItemCreate(BaseModel):
    title: Title
    description: Description | None = None


class ItemUpdate(BaseModel):
    """Omitted fields keep their values."""

    # A field that may be MISSING can be omitted, but can't be null.
    title: Title | MISSING = MISSING
    description: Description | None = None


class Item(ReadModel):
    title: str
    description: str | None
    owner_id: int
    owner: Reference


class ItemQuery(PageQuery[Item]):
    owner_id: Id | None = None
