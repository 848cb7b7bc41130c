"""Records what happens to accounts."""

from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from app.api.deps import SessionDep, client_address
from app.crud.crud_audit import audit as crud_audit
from app.models.audit import Audit
from app.models.user import User
from app.schemas.audit import Event


class AuditLog:
    """The audit log, with the address and the session of a request."""

    def __init__(self, db: Session, request: Request) -> None:
        self._db, self._request = db, request

    def record(
        self,
        event: Event,
        *,
        actor: User | None,
        target: User | None,
        detail: str = "",
        session_id: int | None = None,
    ) -> None:
        """Record the event when the request's transaction is committed."""
        row = Audit(
            event=event,
            actor_id=actor and actor.id,
            actor=actor and actor.email,
            target_id=target and target.id,
            target=target and target.email,
            detail=detail,
            address=client_address(self._request),
            session_id=session_id or getattr(self._request.state, "session_id", None),
        )
        crud_audit.record(self._db, row)


async def get_audit(db: SessionDep, request: Request) -> AuditLog:
    return AuditLog(db, request)


AuditDep = Annotated[AuditLog, Depends(get_audit)]
