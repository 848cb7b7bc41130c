from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas.page import PageQuery
from app.schemas.types import ReadModel, Reference

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
    started_at: datetime | None
    finished_at: datetime | None


class JobQuery(PageQuery[Job]):
    state: list[State] = Field(default=[], max_length=5)
