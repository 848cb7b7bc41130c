from collections.abc import Sequence
from datetime import timedelta
from secrets import token_urlsafe

from pydantic import ValidationError
from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.core.config import settings
from app.core.security import InvalidToken, Purpose, decode_token, fingerprint_matches
from app.crud.exceptions import CommittedError
from app.models.user import User
from app.models.user_session import UserSession
from app.schemas.token import SessionPayload

# How long a refresh token can be used again: two tabs may refresh at the same time, and a response
# may get lost.
GRACE = timedelta(seconds=30)

# The database's clock decides, because the clocks of several servers differ. Not now(): that is the
# start of the transaction, which may be before the session was ended.
is_active = UserSession.expires_at > func.clock_timestamp()


class TokenReused(CommittedError, InvalidToken):
    """A refresh token was used again, so its session has ended."""


class CRUDSession:
    """Sessions are created at login, refreshed with a refresh token, and end by expiring."""

    def __init__(self) -> None:
        # Built once: building a query costs as much CPU as running it. A deactivated user has no
        # active session, but is returned, because the response to a deactivated user is a 403.
        self.user_of_session = (
            select(User, UserSession.secret)
            .join(UserSession, UserSession.owner_id == User.id)
            .where(UserSession.id == bindparam("session"), User.id == bindparam("user"))
            .where(or_(is_active, User.is_active.is_(False)))
        )

    def create(
        self, db: Session, *, owner_id: int, lifetime: timedelta, user_agent: str, address: str
    ) -> UserSession:
        """Start a session, and delete those sessions of the user that have ended."""
        db.execute(delete(UserSession).where(UserSession.owner_id == owner_id, ~is_active))
        session = UserSession(
            owner_id=owner_id,
            secret=token_urlsafe(32),
            expires_at=func.now() + lifetime,
            user_agent="".join(filter(str.isprintable, user_agent))[:255],
            address=address,
        )
        db.add(session)
        db.flush()
        return session

    def get_user(self, db: Session, payload: SessionPayload) -> User:
        """Return the user of an access token. Raises InvalidToken if the session has ended."""
        ids = {"session": payload.session, "user": payload.sub}
        row = db.execute(self.user_of_session, ids).one_or_none()
        if row is None or not fingerprint_matches(payload.fingerprint, row.secret):
            raise InvalidToken
        return row[0]

    def get_active(self, db: Session, owner_id: int) -> Sequence[UserSession]:
        """Return up to 100 active sessions of a user, the most recently used first."""
        return db.scalars(
            select(UserSession)
            .where(UserSession.owner_id == owner_id, is_active)
            .order_by(UserSession.last_used_at.desc(), UserSession.id.desc())
            .limit(100)
        ).all()

    def refresh(self, db: Session, payload: SessionPayload) -> UserSession:
        """Return the session of a refresh token, with the generation of the next one.

        Raises InvalidToken. If the token was used before, somebody else may have it: the session
        ends, and the error is TokenReused.
        """
        row = db.execute(
            select(UserSession, UserSession.last_used_at > func.now() - GRACE)
            .where(UserSession.id == payload.session, UserSession.owner_id == payload.sub)
            .where(is_active)
            .with_for_update()
        ).one_or_none()
        if row is None or not fingerprint_matches(payload.fingerprint, row[0].secret):
            raise InvalidToken
        session, in_grace = row
        if payload.generation == session.generation:
            session.generation += 1
            session.last_used_at = func.now()
            session.expires_at = func.least(
                session.created_at + timedelta(hours=settings.SESSION_MAX_HOURS),
                func.now() + timedelta(hours=settings.SESSION_IDLE_HOURS),
            )
            db.flush()
        elif not (in_grace and payload.generation == session.generation - 1):
            self.end(db, owner_id=session.owner_id, session_id=session.id)
            raise TokenReused
        return session

    def prune(self, db: Session) -> None:
        """Delete the sessions that have ended."""
        db.execute(delete(UserSession).where(~is_active))

    def end_by_token(self, db: Session, token: str, purpose: Purpose) -> Sequence[UserSession]:
        """End the session of an access or refresh token. Return it, if it was active."""
        try:
            payload = decode_session_token(token, purpose)
        except InvalidToken:
            return []
        session = db.get(UserSession, payload.session)
        if session and fingerprint_matches(payload.fingerprint, session.secret):
            return self.end(db, owner_id=payload.sub, session_id=session.id)
        return []

    def end(
        self,
        db: Session,
        *,
        owner_id: int,
        session_id: int | None = None,
        except_id: int | None = None,
    ) -> Sequence[UserSession]:
        """End one active session of a user, or all, or all but one. Return them."""
        statement = update(UserSession).where(UserSession.owner_id == owner_id, is_active)
        if session_id is not None:
            statement = statement.where(UserSession.id == session_id)
        if except_id is not None:
            statement = statement.where(UserSession.id != except_id)
        statement = statement.values(expires_at=func.now())
        return db.scalars(
            statement.returning(UserSession), execution_options={"populate_existing": True}
        ).all()


def decode_session_token(token: str, purpose: Purpose) -> SessionPayload:
    """Return the claims of an access token or a refresh token. Raises InvalidToken."""
    try:
        return SessionPayload.model_validate(decode_token(token, purpose))
    except ValidationError as error:
        raise InvalidToken from error


session = CRUDSession()
