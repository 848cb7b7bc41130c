"""What endpoints ask for in their signatures."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from app import crud, models
from app.api.errors import NotAuthenticated
from app.core.config import settings
from app.db.session import ReadSession, SessionLocal


class BearerToken(OAuth2PasswordBearer):
    """The bearer token. A missing header and a wrong scheme get different 401 messages."""

    async def __call__(self, request: HTTPConnection) -> str:
        if "Authorization" not in request.headers:
            raise NotAuthenticated("Not authenticated")
        token = await super().__call__(request)
        if token is None:
            raise NotAuthenticated
        return token


reusable_oauth2 = BearerToken(
    tokenUrl=f"{settings.API_V1_STR}/login/access-token", auto_error=False
)
TokenDep = Annotated[str, Depends(reusable_oauth2)]


async def get_db() -> AsyncIterator[Session]:
    """One transaction for the request: committed before the response, or rolled back.

    Ask for it as SessionDep. A plain Depends(get_db) would commit after the response.
    """
    db = SessionLocal()
    try:
        yield db
        # OneThreadRoute has committed already; this is for a dependency that writes.
        if db.in_transaction():
            await _run_in_spare_thread(db.commit)
    finally:
        if db.in_transaction():
            await _run_in_spare_thread(db.rollback)


async def get_read_db() -> AsyncIterator[Session]:
    """A session for an endpoint that only reads; opening and closing it sends nothing."""
    with ReadSession() as db:
        yield db


async def _run_in_spare_thread(function: Callable[[], None]) -> None:
    # The usual threads may all be waiting for the connection that this one gives back.
    await to_thread.run_sync(function, limiter=CapacityLimiter(1))


# scope="function": left before the response is sent.
SessionDep = Annotated[Session, Depends(get_db, scope="function")]
ReadSessionDep = Annotated[Session, Depends(get_read_db, scope="function")]


def get_current_user(token: TokenDep) -> models.User:
    """Return the token's user, active or not, detached from any session.

    With a session of its own: a request never waits for a second connection while it
    holds one.
    """
    with ReadSession() as db:
        return crud.user.get_by_token(db, token=token, purposes=["access"])


async def get_current_active_user(
    current_user: Annotated[models.User, Depends(get_current_user)],
) -> models.User:
    return _require_active(current_user)


CurrentUser = Annotated[models.User, Depends(get_current_active_user)]


async def get_current_active_superuser(current_user: CurrentUser) -> models.User:
    return _require_superuser(current_user)


CurrentSuperuser = Annotated[models.User, Depends(get_current_active_superuser)]


class Writer:
    """The caller of an endpoint that writes, checked again inside the transaction.

    A request may wait for a lock while the caller is demoted, deactivated or deleted. Checking in
    the dependency itself would hold a connection while the request waits for a thread.
    """

    def __init__(self, db: Session, caller: models.User, *, as_superuser: bool) -> None:
        self._db, self._caller, self._as_superuser = db, caller, as_superuser

    def caller(self) -> models.User:
        """Return the caller as of now. Ordinary users may change nothing but their own."""
        if not crud.user.is_superuser(self._caller):
            return self._caller
        return self._check(crud.user.lock(self._db, caller_id=self._caller.id)[0])

    def lock_user(self, user_id: int) -> models.User | None:
        """Return a user to be changed, and check the caller, who may be the same."""
        caller, user = crud.user.lock(self._db, caller_id=self._caller.id, user_id=user_id)
        self._check(caller)
        return user

    def lock_self(self) -> models.User:
        return self._check(self.lock_user(self._caller.id))

    def _check(self, caller: models.User | None) -> models.User:
        if caller is None or caller.hashed_password != self._caller.hashed_password:
            raise NotAuthenticated
        _require_active(caller)
        return _require_superuser(caller) if self._as_superuser else caller


async def get_writer(db: SessionDep, current_user: CurrentUser) -> Writer:
    return Writer(db, current_user, as_superuser=False)


async def get_superuser_writer(db: SessionDep, current_user: CurrentSuperuser) -> Writer:
    return Writer(db, current_user, as_superuser=True)


WriterDep = Annotated[Writer, Depends(get_writer)]
SuperuserWriter = Annotated[Writer, Depends(get_superuser_writer)]


def _require_active(user: models.User) -> models.User:
    if not crud.user.is_active(user):
        raise HTTPException(403, "Inactive user")
    return user


def _require_superuser(user: models.User) -> models.User:
    if not crud.user.is_superuser(user):
        raise HTTPException(403, "The user doesn't have enough privileges")
    return user
