from sqlalchemy import String, func, true
from sqlalchemy.orm import Mapped, column_property, mapped_column, validates

from app.db.base_class import Base

# What Python, JavaScript and the pattern NOT_BLANK of the schemas count as whitespace.
BLANKS = "".join(filter(str.isspace, map(chr, range(0x10000))))


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

    # The full name, or the email of a user without one.
    display_name: Mapped[str] = column_property(
        func.coalesce(func.nullif(func.btrim(full_name, BLANKS), ""), email)
    )

    @validates("email")
    def lowercase_email(self, _: str, email: str) -> str:
        return email.lower()
