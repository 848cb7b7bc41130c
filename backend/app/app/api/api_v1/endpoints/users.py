from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response

from app import crud, models, schemas
from app.api.deps import (
    CurrentSuperuser,
    CurrentUser,
    ReadSessionDep,
    SessionDep,
    SuperuserWriter,
    WriterDep,
)
from app.api.errors import responses
from app.api.pagination import PAGE_RESPONSE, page_response
from app.api.route import OneThreadRoute
from app.core.config import settings
from app.core.security import verify_password
from app.schemas.types import Id
from app.utils import queue_email

router = APIRouter(
    prefix="/users", tags=["users"], route_class=OneThreadRoute, responses=responses(503)
)


def require_user(user: models.User | None) -> models.User:
    if user is None:
        raise HTTPException(404, "The user with this username does not exist in the system")
    return user


def check_password(user: models.User, current_password: str | None) -> None:
    """Ask for the password again where a stolen token must not be enough."""
    if not verify_password(current_password or "", user.hashed_password):
        raise HTTPException(400, "Incorrect password")


def changes_login(user: models.User, fields: dict[str, Any]) -> bool:
    return "password" in fields or fields.get("email", user.email) != user.email


@router.get("/", response_model=list[schemas.User], responses=PAGE_RESPONSE | responses(401, 403))
def read_users(
    request: Request,
    db: ReadSessionDep,
    _: CurrentSuperuser,
    query: Annotated[schemas.UserQuery, Query()],
) -> Response:
    return page_response(request, query, crud.user.get_page(db, query))


@router.post("/", response_model=schemas.User, status_code=201, responses=responses(401, 403, 409))
def create_user(
    db: SessionDep, writer: SuperuserWriter, user_in: schemas.UserCreate
) -> models.User:
    """Create a user, who is sent a link to set a password if mail is configured."""
    writer.caller()
    user = crud.user.create(db, obj_in=user_in)
    queue_email(db, "send_new_account_email", user.id)
    return user


@router.get("/me", response_model=schemas.User, responses=responses(401, 403))
async def read_user_me(current_user: CurrentUser) -> models.User:
    return current_user


@router.put("/me", response_model=schemas.User, responses=responses(400, 401, 403, 409))
def update_user_me(db: SessionDep, writer: WriterDep, user_in: schemas.UserUpdateMe) -> models.User:
    """A new e-mail or password needs `current_password`; a new password ends every token."""
    user = writer.lock_self()
    fields = user_in.model_dump(exclude_unset=True, exclude={"current_password"})
    if changes_login(user, fields):
        check_password(user, user_in.current_password)
    return crud.user.update(db, db_obj=user, obj_in=fields)


@router.delete("/me", response_model=schemas.User, responses=responses(400, 401, 403, 409))
def delete_user_me(db: SessionDep, writer: WriterDep, body: schemas.UserDeleteMe) -> models.User:
    """Delete oneself, with all one's items."""
    user = writer.lock_self()
    check_password(user, body.current_password)
    crud.user.remove(db, id=user.id)
    return user


@router.get("/open")
async def read_registration() -> schemas.Registration:
    """Whether anyone may sign up."""
    return schemas.Registration(is_open=settings.USERS_OPEN_REGISTRATION)


@router.post("/open", response_model=schemas.User, status_code=201, responses=responses(403, 409))
def create_user_open(db: SessionDep, user_in: schemas.UserRegister) -> models.User:
    """Sign up, where USERS_OPEN_REGISTRATION allows it."""
    if not settings.USERS_OPEN_REGISTRATION:
        raise HTTPException(403, "Open user registration is forbidden on this server")
    return crud.user.create(db, obj_in=schemas.UserCreate(**user_in.model_dump()))


@router.get("/{user_id}", response_model=schemas.User, responses=responses(401, 403, 404))
def read_user_by_id(db: ReadSessionDep, current_user: CurrentUser, user_id: Id) -> models.User:
    """Oneself; superusers see anybody."""
    if user_id == current_user.id:
        return current_user
    if not crud.user.is_superuser(current_user):
        raise HTTPException(403, "The user doesn't have enough privileges")
    return require_user(crud.user.get(db, user_id))


@router.put("/{user_id}", response_model=schemas.User, responses=responses(400, 401, 403, 404, 409))
def update_user(
    db: SessionDep,
    writer: SuperuserWriter,
    current_user: CurrentSuperuser,
    user_id: Id,
    user_in: schemas.UserUpdateByID,
) -> models.User:
    """One's own new email or password needs `current_password`, as in `PUT /users/me`."""
    user = require_user(writer.lock_user(user_id))
    fields = user_in.model_dump(exclude_unset=True, exclude={"current_password"})
    if user.id == current_user.id and changes_login(user, fields):
        check_password(user, user_in.current_password)
    return crud.user.update(db, db_obj=user, obj_in=fields)


@router.delete(
    "/{user_id}", response_model=schemas.User, responses=responses(400, 401, 403, 404, 409)
)
def delete_user(
    db: SessionDep,
    writer: SuperuserWriter,
    current_user: CurrentSuperuser,
    user_id: Id,
    body: schemas.UserDeleteByID | None = None,
) -> models.User:
    """Delete a user with all items. One's own id needs `current_password` in the body."""
    user = require_user(writer.lock_user(user_id))
    if user.id == current_user.id:
        check_password(user, body.current_password if body else None)
    crud.user.remove(db, id=user.id)
    return user
