from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from app.schemas.page import PageQuery
from app.schemas.types import NO_NUL, UNSET

Title = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_NUL)]
Description = Annotated[str, StringConstraints(max_length=10_000, pattern=NO_NUL)]


class ItemCreate(BaseModel):
    title: Title
    description: Description | None = None


class ItemUpdate(BaseModel):
    title: Title = UNSET
    description: Description | None = None


class Item(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    description: str | None
    owner_id: int


class ItemQuery(PageQuery):
    sort: Literal[
        "id", "-id", "title", "-title", "description", "-description", "owner_id", "-owner_id"
    ] = "id"
