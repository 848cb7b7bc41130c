from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column, synonym

from app.db.base_class import OwnedBase


class Item(OwnedBase):
    title: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)

    # The title of an item in the rows that refer to it.
    display_name: Mapped[str] = synonym("title")
