"""Base and every model: Alembic sees the tables that are imported here."""

from app.db.base_class import Base
from app.models.item import Item
from app.models.user import User

__all__ = ["Base", "Item", "User"]
