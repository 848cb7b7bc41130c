from datetime import datetime
from typing import Literal

from app.schemas.types import ReadModel, Reference


class Job(ReadModel):
    owner_id: int | None
    owner: Reference | None
    kind: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: int
    total: int | None
    message: str
    attempts: int
    result: str | None
    started_at: datetime | None
    finished_at: datetime | None
