"""What endpoints ask for in their signatures, and the row that a path names."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Path
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from app.api.exceptions import (
    DATABASE_ERRORS,
    Conflict,
    InactiveUser,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    SuperuserRequired,
)
from app.api.routing import raises
from app.core.config import settings
from app.core.security import InvalidToken
from app.crud.base import CRUDOwned, OwnedModelType
from app.crud.crud_user import user as crud_user
from app.db.session import ReadSession, SessionLocal
from app.models.user import User
from app.schemas.types import Id


class BearerToken(OAuth2PasswordBearer):
    """The bearer token. A missing header and a wrong scheme get different 401 messages."""

    async def __call__(self, request: HTTPConnection) -> str:
        if "Authorization" not in request.headers:
            raise NotAuthenticated
        token = await super().__call__(request)
        if token is None:
            raise InvalidToken
        return token


reusable_oauth2 = BearerToken(
    tokenUrl=f"{settings.API_V1_STR}/login/access-token", auto_error=False
)
TokenDep = Annotated[str, Depends(reusable_oauth2)]


@raises(Conflict, *DATABASE_ERRORS)
async def get_db() -> AsyncIterator[Session]:
    """One transaction for the request: the route commits it before the response, or rolls back.

    Ask for it as SessionDep, in the endpoint: a dependency that sends a query would hold a
    connection while the request waits for a thread.

    Raises RuntimeError where nothing has committed: the endpoint does not ask for the session
    itself, is a coroutine function, or is not on an app.api.routing.APIRouter.
    """
    db = SessionLocal()
    try:
        yield db
        if db.in_transaction():
            raise RuntimeError("the transaction of SessionDep was not committed")
    finally:
        if db.in_transaction():
            # The usual threads may all be waiting for the connection that this one gives back.
            await to_thread.run_sync(db.rollback, limiter=CapacityLimiter(1))


@raises(*DATABASE_ERRORS)
async def get_read_db() -> AsyncIterator[Session]:
    """A session for an endpoint that only reads; opening and closing it sends nothing."""
    with ReadSession() as db:
        yield db


# scope="function": left before the response is sent.
SessionDep = Annotated[Session, Depends(get_db, scope="function")]
ReadSessionDep = Annotated[Session, Depends(get_read_db, scope="function")]


@raises(NotAuthenticated, InvalidToken, *DATABASE_ERRORS)
def get_current_user(token: TokenDep) -> User:
    """Return the token's user, active or not, detached from any session.

    With a session of its own: a request never waits for a second connection while it
    holds one.
    """
    with ReadSession() as db:
        return crud_user.get_by_token(db, token=token, purposes=["access"])


@raises(InactiveUser)
async def get_current_active_user(
    current_user: Annotated[User, Depends(get_current_user)],
) -> User:
    return _require_active(current_user)


CurrentUser = Annotated[User, Depends(get_current_active_user)]


@raises(SuperuserRequired)
async def get_current_active_superuser(current_user: CurrentUser) -> User:
    return _require_superuser(current_user)


CurrentSuperuser = Annotated[User, Depends(get_current_active_superuser)]


class Writer:
    """The caller of an endpoint that changes or deletes rows, to be checked inside the transaction.

    A request may wait for a lock while a superuser is demoted, deactivated or deleted. Ordinary
    users are not read again: they change only what is theirs. Call one of the methods, once, before
    another row is locked: whoever deletes a user locks the user first, too.

    A new row needs no Writer but CurrentUser: the foreign key keeps its owner.
    """

    def __init__(self, db: Session, caller: User, *, as_superuser: bool) -> None:
        self._db, self._caller, self._as_superuser = db, caller, as_superuser

    def lock_caller(self) -> User:
        """Return the caller. A superuser is checked again, and kept as is until the commit."""
        if not crud_user.is_superuser(self._caller):
            return self._caller
        return self._check(crud_user.lock(self._db, caller_id=self._caller.id)[0])

    def lock_user(self, user_id: int) -> User | None:
        """Return a user to be changed, and check the caller, who may be the same."""
        caller, user = crud_user.lock(self._db, caller_id=self._caller.id, user_id=user_id)
        self._check(caller)
        return user

    def lock_self(self) -> User:
        return self._check(self.lock_user(self._caller.id))

    def _check(self, caller: User | None) -> User:
        if caller is None or caller.hashed_password != self._caller.hashed_password:
            raise InvalidToken
        _require_active(caller)
        return _require_superuser(caller) if self._as_superuser else caller


async def get_writer(db: SessionDep, current_user: CurrentUser) -> Writer:
    return Writer(db, current_user, as_superuser=False)


async def get_superuser_writer(db: SessionDep, current_user: CurrentSuperuser) -> Writer:
    return Writer(db, current_user, as_superuser=True)


# The id in a path such as /items/{id}; the parameter has another name than the builtin.
PathId = Annotated[Id, Path(alias="id")]

WriterDep = Annotated[Writer, Depends(get_writer)]
SuperuserWriter = Annotated[Writer, Depends(get_superuser_writer)]


def _require_active(user: User) -> User:
    if not crud_user.is_active(user):
        raise InactiveUser
    return user


def _require_superuser(user: User) -> User:
    if not crud_user.is_superuser(user):
        raise SuperuserRequired
    return user


def get_own_row(
    db: Session,
    crud_rows: CRUDOwned[OwnedModelType, Any, Any],
    row_id: int,
    user: User,
    *,
    for_update: bool = False,
) -> OwnedModelType:
    """Return a row that belongs to the user, or any row to a superuser.

    Raises NotFound and PermissionDenied.
    """
    row = crud_rows.get(db, row_id, for_update=for_update)
    if row is None:
        name = crud_rows.model.__tablename__.replace("_", " ").capitalize()
        raise NotFound(f"{name} not found")
    if row.owner_id != user.id and not crud_user.is_superuser(user):
        raise PermissionDenied
    return row
