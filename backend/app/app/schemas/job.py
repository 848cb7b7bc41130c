from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from app.schemas.error import numeric_limits
from app.schemas.page import PageQuery
from app.schemas.types import Id, ReadModel, Reference

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class Job(ReadModel):
    owner_id: int | None
    owner: Reference | None
    kind: str
    state: State
    progress: int
    total: int | None
    message: str
    attempts: int
    result: str | None
    source: str | None
    file: str | None
    problem_count: int
    started_at: datetime | None
    finished_at: datetime | None


class Problem(BaseModel):
    """A problem of a line in the file that was given to the job."""

    line: int
    # The column, unless the problem concerns the whole line.
    field: str | None
    # The beginning of the value.
    value: str
    # The same as in a validation error of the API.
    type: str
    msg: str
    ctx: Annotated[dict[str, int | float], BeforeValidator(numeric_limits)] = {}


class JobQuery(PageQuery[Job]):
    state: list[State] = Field(default=[], max_length=5)
    owner_id: Id | None = None
