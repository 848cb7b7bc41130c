from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.schemas.types import Reference

State = Literal["up", "down", "unknown"]


class ResourceSummary(BaseModel):
    name: str = Field(description="The name of the table, such as order_line")
    path: str = Field(description="The name in URLs, such as order-lines")
    total: int
    new: int = Field(description="Created in the last 7 days")


class LatestRow(BaseModel):
    resource: str = Field(description="The name of the table")
    id: int
    title: str | None
    owner: Reference
    created_at: datetime


class FirstSteps(BaseModel):
    has_row: bool = Field(description="Whether the caller owns a row of any resource")
    has_name: bool
    is_verified: bool


class LatestUser(Reference):
    created_at: datetime


class UserSummary(BaseModel):
    total: int
    new: int = Field(description="Created in the last 7 days")
    inactive: int
    unverified: int
    latest: list[LatestUser]


class FailedJob(BaseModel):
    id: int
    kind: str
    message: str
    owner: Reference | None
    finished_at: datetime


class JobSummary(BaseModel):
    waiting: int = Field(description="Queued jobs that are due")
    failed: int = Field(description="Failed in the last 24 hours")
    latest_failed: list[FailedJob]
    mail_sent_at: datetime | None
    mail_failed_at: datetime | None


class Parts(BaseModel):
    """The states of the parts. Without the database, the response is a 503."""

    database: Literal["up"] = "up"
    redis: State
    celeryworker: State = Field(description="down, if a due job has waited for over a minute")
    celerybeat: State
    mail: Literal["configured", "off"]


class Administration(BaseModel):
    users: UserSummary
    jobs: JobSummary
    parts: Parts


class Dashboard(BaseModel):
    resources: list[ResourceSummary]
    latest: list[LatestRow] = Field(description="The latest 5 rows of all resources")
    first_steps: FirstSteps
    administration: Administration | None = Field(description="Only for superusers")
