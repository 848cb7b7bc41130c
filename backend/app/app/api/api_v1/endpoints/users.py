from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Request, Response

from app.api.deps import (
    CurrentSuperuser,
    CurrentUser,
    HashingSlot,
    ReadSessionDep,
    SessionDep,
    SuperuserWriter,
    WriterDep,
)
from app.api.exceptions import IncorrectPassword, NotFound, RegistrationClosed, SuperuserRequired
from app.api.pagination import PAGE_RESPONSE, page_response
from app.api.routing import APIRouter, raises
from app.core.config import settings
from app.core.security import verify_password
from app.crud.crud_session import session as crud_session
from app.crud.crud_user import user as crud_user
from app.crud.exceptions import EmailTaken, LastSuperuser
from app.models.user import User
from app.models.user_session import UserSession
from app.schemas import user as schemas
from app.schemas import user_session
from app.schemas.page import PageQuery
from app.schemas.types import Id
from app.worker import send_new_account_email

router = APIRouter(prefix="/users", tags=["users"])


def require_user(user: User | None) -> User:
    if user is None:
        raise NotFound("The user with this username does not exist in the system")
    return user


def require_current_password(user: User, current_password: str | None) -> None:
    """Raise IncorrectPassword if the password is wrong: a stolen token must not be enough."""
    if not verify_password(current_password or "", user.hashed_password):
        raise IncorrectPassword


def changes_credentials(user: User, fields: dict[str, Any]) -> bool:
    return "password" in fields or fields.get("email", user.email) != user.email


@router.get("/", response_model=list[schemas.User], responses=PAGE_RESPONSE)
def read_users(
    request: Request,
    db: ReadSessionDep,
    _: CurrentSuperuser,
    query: Annotated[PageQuery[schemas.User], Query()],
) -> Response:
    return page_response(request, query, crud_user.get_page(db, query))


@router.post("/", response_model=schemas.User, status_code=201)
@raises(EmailTaken)
def create_user(
    db: SessionDep, writer: SuperuserWriter, _: HashingSlot, user_in: schemas.UserCreate
) -> User:
    """Create a user. If mail is configured, the user is sent a link to set a password."""
    writer.lock_caller()
    user = crud_user.create(db, obj_in=user_in)
    send_new_account_email.delay_after_commit(db, user.id)
    return user


@router.get("/me", response_model=schemas.User)
async def read_user_me(current_user: CurrentUser) -> User:
    return current_user


@router.put("/me", response_model=schemas.User)
@raises(IncorrectPassword, EmailTaken)
def update_user_me(
    db: SessionDep, writer: WriterDep, _: HashingSlot, user_in: schemas.UserUpdateMe
) -> User:
    """Changing the email or password requires `current_password`.

    A new password invalidates all of the user's tokens.
    """
    user = writer.lock_self()
    fields = user_in.model_dump(exclude_unset=True, exclude={"current_password"})
    if changes_credentials(user, fields):
        require_current_password(user, user_in.current_password)
    return crud_user.update(db, db_obj=user, obj_in=fields)


@router.delete("/me", response_model=schemas.User)
@raises(IncorrectPassword, LastSuperuser)
def delete_user_me(
    db: SessionDep, writer: WriterDep, _: HashingSlot, body: schemas.UserDeleteMe
) -> User:
    """Delete your account and everything you own."""
    user = writer.lock_self()
    require_current_password(user, body.current_password)
    crud_user.remove(db, id=user.id)
    return user


@router.get("/open")
async def read_registration() -> schemas.Registration:
    """Return whether anyone may sign up."""
    return schemas.Registration(is_open=settings.USERS_OPEN_REGISTRATION)


@router.post("/open", response_model=schemas.User, status_code=201)
@raises(RegistrationClosed, EmailTaken)
def create_user_open(db: SessionDep, _: HashingSlot, user_in: schemas.UserRegister) -> User:
    """Sign up, if USERS_OPEN_REGISTRATION is on."""
    if not settings.USERS_OPEN_REGISTRATION:
        raise RegistrationClosed
    return crud_user.create(db, obj_in=schemas.UserCreate(**user_in.model_dump()))


@router.get("/{user_id}", response_model=schemas.User)
@raises(SuperuserRequired, NotFound)
def read_user_by_id(db: ReadSessionDep, current_user: CurrentUser, user_id: Id) -> User:
    """Return a user. Users who are not superusers may read only themselves."""
    if user_id == current_user.id:
        return current_user
    if not crud_user.is_superuser(current_user):
        raise SuperuserRequired
    return require_user(crud_user.get(db, user_id))


@router.put("/{user_id}", response_model=schemas.User)
@raises(IncorrectPassword, NotFound, EmailTaken, LastSuperuser)
def update_user(
    db: SessionDep,
    writer: SuperuserWriter,
    current_user: CurrentSuperuser,
    _: HashingSlot,
    user_id: Id,
    user_in: schemas.UserUpdateByID,
) -> User:
    """Changing your own email or password requires `current_password`, as in `PUT /users/me`."""
    user = require_user(writer.lock_user(user_id))
    fields = user_in.model_dump(exclude_unset=True, exclude={"current_password"})
    if user.id == current_user.id and changes_credentials(user, fields):
        require_current_password(user, user_in.current_password)
    return crud_user.update(db, db_obj=user, obj_in=fields)


@router.delete("/{user_id}/sessions", response_model=list[user_session.UserSession])
@raises(NotFound)
def end_user_sessions(
    db: SessionDep, writer: SuperuserWriter, user_id: Id
) -> Sequence[UserSession]:
    """Log a user out everywhere."""
    user = require_user(writer.lock_user(user_id))
    return crud_session.end(db, owner_id=user.id)


@router.delete("/{user_id}", response_model=schemas.User)
@raises(IncorrectPassword, NotFound, LastSuperuser)
def delete_user(
    db: SessionDep,
    writer: SuperuserWriter,
    current_user: CurrentSuperuser,
    _: HashingSlot,
    user_id: Id,
    body: schemas.UserDeleteByID | None = None,
) -> User:
    """Delete a user and everything they own.

    Deleting yourself requires `current_password` in the body.
    """
    user = require_user(writer.lock_user(user_id))
    if user.id == current_user.id:
        require_current_password(user, body.current_password if body else None)
    crud_user.remove(db, id=user.id)
    return user
