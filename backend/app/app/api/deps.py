"""The dependencies of endpoints, and the lookup of a row that the caller may access."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from anyio import CapacityLimiter, fail_after, to_thread
from fastapi import Depends, Header, Path, Request
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from app.api.exceptions import (
    DATABASE_ERRORS,
    Conflict,
    InactiveUser,
    InvalidLink,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    RowChanged,
    ServerBusy,
    SuperuserRequired,
)
from app.api.routing import raises
from app.core.config import settings
from app.core.security import InvalidToken, Purpose
from app.crud.base import CRUDBase, CRUDOwned, ModelType, OwnedModelType
from app.crud.crud_session import decode_session_token
from app.crud.crud_session import session as crud_session
from app.crud.crud_user import user as crud_user
from app.crud.exceptions import ValueTaken
from app.db.base_class import Base, OwnedBase
from app.db.session import ReadSession, SessionLocal
from app.models.user import User
from app.schemas.token import MailedPayload, SessionPayload
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


@raises(Conflict, ValueTaken, *DATABASE_ERRORS)
async def get_db() -> AsyncIterator[Session]:
    """Yield the request's session. The route commits or rolls back before it responds.

    Declare a parameter of type SessionDep, and send queries only in the endpoint. A dependency that
    sends a query would hold a connection while the request waits for a thread.

    Raises RuntimeError if the route did not commit. This happens if only a dependency declares the
    session, if the endpoint is a coroutine function, or if the router is not an
    app.api.routing.APIRouter.
    """
    db = SessionLocal()
    try:
        yield db
        if db.in_transaction():
            raise RuntimeError("the transaction of SessionDep was not committed")
    finally:
        if db.in_transaction():
            # All threads of the pool may be waiting for this connection, so use an extra thread.
            await to_thread.run_sync(db.rollback, limiter=CapacityLimiter(1))


@raises(*DATABASE_ERRORS)
async def get_read_db() -> AsyncIterator[Session]:
    """Yield a session that only reads. Opening and closing it sends nothing to the database."""
    with ReadSession() as db:
        yield db


# With scope="function", the dependency ends before the response is sent.
SessionDep = Annotated[Session, Depends(get_db, scope="function")]
ReadSessionDep = Annotated[Session, Depends(get_read_db, scope="function")]


# One request hashes (app.core.security), while another one sends its queries.
hashing_slots = CapacityLimiter(2)
# Shorter than the timeouts of clients, such as the web app's 30 s, so that they receive the 503.
HASHING_WAIT_SECONDS = 10


@raises(ServerBusy)
async def get_hashing_slot() -> AsyncIterator[None]:
    """Wait in a queue until the endpoint may hash and verify passwords.

    Declare a parameter of type HashingSlot after the parameter for the user: callers without a
    token must not wait in this queue. A waiting request holds no thread and no connection.
    """
    try:
        with fail_after(HASHING_WAIT_SECONDS):
            await hashing_slots.acquire()
    except TimeoutError as error:
        raise ServerBusy(f"no hashing slot within {HASHING_WAIT_SECONDS} seconds") from error
    try:
        yield
    finally:
        hashing_slots.release()


HashingSlot = Annotated[None, Depends(get_hashing_slot, scope="function")]


def client_address(request: Request) -> str:
    """Return the client's IP address: from X-Forwarded-For, if a trusted proxy sent the request.

    This header can contain any text. The result is printable, and has at most 45 characters, like
    the longest IPv6 address.
    """
    host = request.client.host if request.client else ""
    return "".join(filter(str.isprintable, host))[:45]


@raises(NotAuthenticated, InvalidToken)
async def get_access_payload(request: Request, token: TokenDep) -> SessionPayload:
    """Return the claims of the access token. The session may have ended."""
    payload = decode_session_token(token, "access")
    request.state.session_id = payload.session  # For the audit log.
    return payload


AccessPayload = Annotated[SessionPayload, Depends(get_access_payload)]


@raises(*DATABASE_ERRORS)
def get_current_user(payload: AccessPayload) -> User:
    """Return the token's user, active or not, detached from any database session.

    This function closes its own session before the endpoint starts. A request that holds a
    connection must never wait for a second one.
    """
    with ReadSession() as db:
        return crud_session.get_user(db, payload)


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
    """Checks the caller of an endpoint that changes or deletes rows, inside its transaction.

    While a request waits for a lock, the superuser who sent it may be demoted, deactivated or
    deleted. Therefore superusers are read from the database again. Ordinary users have no
    privilege to lose: they can change only their own rows. lock_caller does not reload them.

    Call exactly one method, once, before you lock any other row. Deleting a user also locks the
    user before other rows: the same order everywhere prevents deadlocks.

    Endpoints that only create rows use CurrentUser: the foreign key ensures that the owner exists.
    """

    def __init__(self, db: Session, caller: User, *, as_superuser: bool) -> None:
        self._db, self._caller, self._as_superuser = db, caller, as_superuser

    def lock_caller(self) -> User:
        """Return the caller. A superuser is read again, checked, and locked until the commit."""
        if not crud_user.is_superuser(self._caller):
            return self._caller
        return self._require_valid(crud_user.lock_users(self._db, caller_id=self._caller.id)[0])

    def lock_user(self, user_id: int) -> User | None:
        """Check the caller. Lock and return the user with this id, who may be the caller."""
        caller, user = crud_user.lock_users(self._db, caller_id=self._caller.id, user_id=user_id)
        self._require_valid(caller)
        return user

    def lock_self(self) -> User:
        return self._require_valid(self.lock_user(self._caller.id))

    def _require_valid(self, caller: User | None) -> User:
        if caller is None or caller.hashed_password != self._caller.hashed_password:
            raise InvalidToken
        _require_active(caller)
        return _require_superuser(caller) if self._as_superuser else caller


async def get_writer(db: SessionDep, current_user: CurrentUser) -> Writer:
    return Writer(db, current_user, as_superuser=False)


async def get_superuser_writer(db: SessionDep, current_user: CurrentSuperuser) -> Writer:
    return Writer(db, current_user, as_superuser=True)


class IfMatch:
    """Rejects an update of a row that was changed after the client read it.

    Two updates in the same microsecond cannot be distinguished.
    """

    def __init__(self, header: str | None) -> None:
        self._tags = {tag.strip() for tag in ("*" if header is None else header).split(",")}

    def check(self, row: Base) -> None:
        """Raise RowChanged. Call it after the row is locked."""
        if self._tags.isdisjoint({"*", to_json(row.updated_at).decode()}):
            raise RowChanged


@raises(RowChanged)
async def get_if_match(
    if_match: Annotated[
        str | None,
        Header(description="`updated_at` of the row in quotes: without it, any version is updated"),
    ] = None,
) -> IfMatch:
    return IfMatch(if_match)


IfMatchDep = Annotated[IfMatch, Depends(get_if_match)]

# The id in a path such as /items/{id}. With the alias, no parameter shadows the builtin id.
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


def get_user_of_link(db: Session, token: str, *purposes: Purpose) -> tuple[User, MailedPayload]:
    """Return the user of a mailed link, locked until the commit, and its claims.

    Raises InvalidLink.
    """
    try:
        return crud_user.get_by_mailed_token(db, token, *purposes)
    except InvalidToken as error:
        raise InvalidLink from error


def readable_rows(crud_rows: CRUDOwned[Any, Any, Any], user: User) -> dict[str, int]:
    """Return the filter that limits a list to what the user may read. Raises PermissionDenied."""
    filters = crud_rows.readable_by(user)
    if filters is None:
        raise PermissionDenied
    return filters


def get_readable_row(
    db: Session,
    crud_rows: CRUDBase[ModelType, Any, Any],
    row_id: int,
    user: User,
    *,
    field: str | None = None,
) -> ModelType:
    """Return the row if the user may read it.

    Raises NotFound and PermissionDenied. Their responses contain the field.
    """
    readers = "users" if crud_user.is_superuser(user) else crud_rows.readers
    if readers == "superusers":
        raise PermissionDenied(field=field)
    row = crud_rows.get(db, row_id)
    if row is None:
        raise _not_found(crud_rows, field)
    if readers == "owner" and not (isinstance(row, OwnedBase) and row.owner_id == user.id):
        raise PermissionDenied(field=field)
    return row


def get_own_row(
    db: Session,
    crud_rows: CRUDOwned[OwnedModelType, Any, Any],
    row_id: int,
    user: User,
    *,
    for_update: bool = False,
) -> OwnedModelType:
    """Return the row if it belongs to the user or the user is a superuser.

    Raises NotFound and PermissionDenied.
    """
    row = crud_rows.get(db, row_id, for_update=for_update)
    if row is None:
        raise _not_found(crud_rows)
    if row.owner_id != user.id and not crud_user.is_superuser(user):
        raise PermissionDenied
    return row


def check_reference(
    db: Session,
    crud_rows: CRUDBase[Any, Any, Any],
    obj_in: BaseModel,
    field: str,
    user: User,
    *,
    row: Base | None = None,
) -> None:
    """Raise NotFound or PermissionDenied unless the user may read the row that `field` refers to.

    If an update does not change the reference of the row, the reference is not checked: somebody
    else may have set it.
    """
    stored_id = None if row is None else getattr(row, field)
    target_id = obj_in.model_dump(include={field}, exclude_unset=True).get(field, stored_id)
    if target_id == stored_id:
        return
    if target_id is not None:
        get_readable_row(db, crud_rows, target_id, user, field=field)
    elif crud_rows.readers == "superusers" and not crud_user.is_superuser(user):
        raise PermissionDenied(field=field)


def _not_found(crud_rows: CRUDBase[Any, Any, Any], field: str | None = None) -> NotFound:
    name = crud_rows.model.__tablename__.replace("_", " ").capitalize()
    return NotFound(f"{name} not found", field=field)
