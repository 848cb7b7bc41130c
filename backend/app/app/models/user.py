from sqlalchemy import String, true
from sqlalchemy.orm import Mapped, mapped_column, synonym, validates

from app.db.base_class import Base


class User(Base):
    full_name: Mapped[str | None] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    hashed_password: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True)
    is_superuser: Mapped[bool] = mapped_column(default=False)
    # Users who signed up must confirm their email before they can log in.
    is_verified: Mapped[bool] = mapped_column(default=True, server_default=true())
    # The language of mails.
    language: Mapped[str] = mapped_column(String(8), default="en", server_default="en")

    display_name: Mapped[str] = synonym("email")

    @validates("email")
    def lowercase_email(self, _: str, email: str) -> str:
        return email.lower()
