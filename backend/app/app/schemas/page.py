from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from app.schemas.types import NO_NUL


class PageQuery(BaseModel):
    """The query parameters of every list."""

    skip: int = Field(default=0, ge=0, le=2**31 - 1)
    limit: int = Field(default=100, ge=1, le=100)
    q: Annotated[str, StringConstraints(max_length=255, pattern=NO_NUL)] = Field(
        default="", description="Only rows with this text in them, in any case"
    )
    sort: str = Field(default="id", description="A column; `-` before it for descending")
