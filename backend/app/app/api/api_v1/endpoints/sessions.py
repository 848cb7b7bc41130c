from collections.abc import Sequence

from app.api.audit import AuditDep
from app.api.deps import AccessPayload, CurrentUser, PathId, ReadSessionDep, SessionDep, WriterDep
from app.api.exceptions import NotFound
from app.api.routing import APIRouter, raises
from app.crud.crud_session import session as crud_session
from app.models.user_session import UserSession
from app.schemas import user_session as schemas

router = APIRouter(prefix="/users/me/sessions", tags=["users"])


@router.get("")
def read_sessions(
    db: ReadSessionDep, current_user: CurrentUser, payload: AccessPayload
) -> list[schemas.UserSession]:
    """Return your active sessions, the most recently used first."""
    sessions = map(schemas.UserSession.model_validate, crud_session.get_active(db, current_user.id))
    return [each.model_copy(update={"is_current": each.id == payload.session}) for each in sessions]


@router.delete("", response_model=list[schemas.UserSession])
def end_other_sessions(
    db: SessionDep, writer: WriterDep, audit: AuditDep, payload: AccessPayload
) -> Sequence[UserSession]:
    """Log out everywhere else."""
    user = writer.lock_caller()
    audit.record("session_ended", actor=user, target=user, detail="all others")
    return crud_session.end(db, owner_id=user.id, except_id=payload.session)


@router.delete("/{id}", response_model=schemas.UserSession)
@raises(NotFound)
def end_session(
    db: SessionDep, writer: WriterDep, audit: AuditDep, session_id: PathId
) -> UserSession:
    user = writer.lock_caller()
    ended = crud_session.end(db, owner_id=user.id, session_id=session_id)
    if not ended:
        raise NotFound("Session not found")
    audit.record("session_ended", actor=user, target=user, detail=str(session_id))
    return ended[0]
