from app.models.audit import Audit
from app.models.item import Item
from app.models.job import Job
from app.models.user import User
from app.models.user_session import UserSession

__all__ = ["Audit", "Item", "Job", "User", "UserSession"]
