from app.crud.crud_audit import audit
from app.crud.crud_item import item
from app.crud.crud_job import job
from app.crud.crud_session import session
from app.crud.crud_user import user

__all__ = ["audit", "item", "job", "session", "user"]
