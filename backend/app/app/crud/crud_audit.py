import logging
from datetime import timedelta

from sqlalchemy import delete, event, func
from sqlalchemy.orm import Session

from app.core.config import settings
from app.crud.base import CRUDBase
from app.models.audit import Audit
from app.models.user import User
from app.schemas import audit as schemas

logger = logging.getLogger(__name__)


class CRUDAudit(CRUDBase[Audit, schemas.Audit, schemas.Audit]):
    read_schema = schemas.Audit
    search_columns = (Audit.event, Audit.actor, Audit.target, Audit.detail, Audit.address)

    def record(
        self,
        db: Session,
        what: schemas.Event,
        *,
        actor: User | None = None,
        target: User | None = None,
        detail: str = "",
        address: str = "",
        session_id: int | None = None,
    ) -> None:
        """Add a row. After the commit, write the same as a line to the log."""
        row = Audit(
            event=what,
            actor_id=actor and actor.id,
            actor=actor and actor.email,
            target_id=target and target.id,
            target=target and target.email,
            detail=detail[:300],
            address=address[:45],
            session_id=session_id,
        )
        db.add(row)
        names = ("actor_id", "target_id", "detail", "address", "session_id")
        values = " ".join(f"{name}={getattr(row, name)}" for name in names)
        line = f"{what}: {values}"
        event.listen(db, "after_commit", lambda _: logger.info("%s", line), once=True)

    def prune(self, db: Session) -> None:
        """Delete rows that are older than AUDIT_DAYS."""
        limit = func.now() - timedelta(days=settings.AUDIT_DAYS)
        db.execute(delete(Audit).where(Audit.created_at < limit))


audit = CRUDAudit(Audit)
