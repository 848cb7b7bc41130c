from datetime import datetime

from sqlalchemy import ForeignKey, String, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base


class UserSession(Base):
    """A login. Its tokens are valid until the session expires. To end it means to let it expire."""

    __tablename__ = "session"

    owner_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), index=True, sort_order=1
    )
    # Every token of the session contains a hash of it, so SECRET_KEY alone can't forge a token.
    secret: Mapped[str]
    # How often the session was refreshed. Only the newest refresh token contains this number.
    generation: Mapped[int] = mapped_column(default=0)
    user_agent: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(45))
    last_used_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
