from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base


class Audit(Base):
    """Something that happened to an account: who did what to whom, when and from where.

    The row outlives the users, so their ids are not foreign keys. Their emails are those of then.
    """

    event: Mapped[str] = mapped_column(String(32))
    # Nobody, if the user was not logged in.
    actor_id: Mapped[int | None]
    actor: Mapped[str | None] = mapped_column(String(254))
    # Nobody, if no account has the email of a failed login.
    target_id: Mapped[int | None]
    target: Mapped[str | None] = mapped_column(String(254))
    detail: Mapped[str] = mapped_column(String(300))
    address: Mapped[str] = mapped_column(String(45))
    # The actor's session.
    session_id: Mapped[int | None]
