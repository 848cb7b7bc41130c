import logging
from datetime import timedelta

from sqlalchemy import delete, event, func
from sqlalchemy.orm import Session

from app.core.config import settings
from app.crud.base import CRUDBase
from app.models.audit import Audit
from app.schemas import audit as schemas

logger = logging.getLogger(__name__)

# Without emails, because a log may be read by more people than the table.
LOGGED = ("actor_id", "target_id", "detail", "address", "session_id")


class CRUDAudit(CRUDBase[Audit, schemas.Audit, schemas.Audit]):
    read_schema = schemas.Audit
    search_columns = (Audit.event, Audit.actor, Audit.target, Audit.detail, Audit.address)

    def record(self, db: Session, row: Audit) -> None:
        """Add the row. After the commit, write the same as a line to the log."""
        db.add(row)
        values = " ".join(f"{name}={getattr(row, name)}" for name in LOGGED)
        line = f"{row.event}: {values}"
        event.listen(db, "after_commit", lambda _: logger.info("%s", line), once=True)

    def prune(self, db: Session) -> None:
        """Delete rows that are older than AUDIT_DAYS."""
        limit = func.now() - timedelta(days=settings.AUDIT_DAYS)
        db.execute(delete(Audit).where(Audit.created_at < limit))


audit = CRUDAudit(Audit)
