"""Imports Base and all models: Alembic sees only the models that are imported here."""

# ruff: noqa: F401

from app.db.base_class import Base as Base
from app.models.audit import Audit
from app.models.item import Item
from app.models.job import Job
from app.models.user import User
from app.models.user_session import UserSession
