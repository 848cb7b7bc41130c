from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base_class import Base
from app.models.user import User

OPEN_STATES = ("queued", "running")


def job_file_key(job_id: int, attempt: int) -> str:
    """Return the key of a written file in the file store. Each attempt writes its own."""
    return f"jobs/{job_id}/{attempt}"


class Job(Base):
    """Work that was promised, and what became of it."""

    # Who asked for it: nobody, if a schedule or a client without a login did.
    owner_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id], lazy="joined")
    kind: Mapped[str] = mapped_column(String(64))
    # Emptied when the job has finished.
    arguments: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    state: Mapped[str] = mapped_column(String(16), default="queued")
    progress: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int | None] = mapped_column(BigInteger)
    # What the job is doing, or the reason of its last failure.
    message: Mapped[str] = mapped_column(String(1000), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    result: Mapped[str | None] = mapped_column(String(255))
    # The name of the file that was given to the job, and of the one that it has written.
    source: Mapped[str | None] = mapped_column(String(255))
    file: Mapped[str | None] = mapped_column(String(255))
    # What the owner has to change so that the job succeeds. It is long, so it is read only alone.
    report: Mapped[list[dict[str, Any]] | None] = mapped_column(
        JSONB(none_as_null=True), deferred=True
    )
    # The number of lines with problems.
    problem_count: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    # After this time, a queued job is enqueued again, and the worker of a running job is dead.
    check_at: Mapped[datetime]

    @property
    def file_key(self) -> str:
        return job_file_key(self.id, self.attempts)

    __table_args__ = (
        # Schedules read when a kind of job was last created.
        Index("ix_job_kind_created_at", "kind", "created_at"),
        Index("ix_job_check_at", "check_at", postgresql_where=state.in_(OPEN_STATES)),
    )
