import logging
from datetime import timedelta

from sqlalchemy import delete, event, func
from sqlalchemy.orm import Session

from app.core.config import settings
from app.crud.base import CRUDBase
from app.models.audit import Audit
from app.schemas import audit as schemas

logger = logging.getLogger(__name__)

# The key, in Session.info, of the lines to log after the commit.
LINES = "audit_lines"
# Without emails, because a log may be read by more people than the table.
LOGGED = ("actor_id", "target_id", "detail", "address", "session_id")


class CRUDAudit(CRUDBase[Audit, schemas.Audit, schemas.Audit]):
    read_schema = schemas.Audit
    search_columns = (Audit.event, Audit.actor, Audit.target, Audit.detail, Audit.address)

    def record(self, db: Session, row: Audit) -> None:
        """Add the row, and a line to the log after the commit."""
        db.add(row)
        values = " ".join(f"{name}={getattr(row, name)}" for name in LOGGED)
        db.info.setdefault(LINES, []).append(f"{row.event}: {values}")

    def prune(self, db: Session) -> None:
        """Delete rows that are older than AUDIT_DAYS."""
        limit = func.now() - timedelta(days=settings.AUDIT_DAYS)
        db.execute(delete(Audit).where(Audit.created_at < limit))


@event.listens_for(Session, "after_commit")
def log_lines(db: Session) -> None:
    if db.in_nested_transaction():  # Only a savepoint was released.
        return
    for line in db.info.pop(LINES, []):
        logger.info("%s", line)


audit = CRUDAudit(Audit)
