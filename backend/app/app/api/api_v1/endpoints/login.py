from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Response
from fastapi.security import OAuth2PasswordRequestForm

from app import crud, models, schemas
from app.api.deps import CurrentUser, SessionDep
from app.api.errors import InvalidGrant, responses
from app.api.route import OneThreadRoute
from app.core import security
from app.core.config import settings
from app.core.security import InvalidToken
from app.crud.exceptions import WeakPassword
from app.schemas.types import Email
from app.utils import queue_email

router = APIRouter(tags=["login"], route_class=OneThreadRoute, responses=responses(503))


@router.post(
    "/login/access-token",
    responses={400: {"model": schemas.OAuth2Error, "description": "Bad Request"}},
)
def login_access_token(
    response: Response, db: SessionDep, form: Annotated[OAuth2PasswordRequestForm, Depends()]
) -> schemas.Token:
    """OAuth2 password login; the username is the e-mail."""
    user = crud.user.authenticate(db, email=form.username, password=form.password)
    if user is None:
        raise InvalidGrant("Incorrect email or password")
    if not crud.user.is_active(user):
        raise InvalidGrant("Inactive user")
    token = security.create_access_token(user.id, password_hash=user.hashed_password)
    response.headers["Cache-Control"] = "no-store"
    return schemas.Token(access_token=token, expires_in=settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60)


@router.post("/login/test-token", response_model=schemas.User, responses=responses(401, 403))
async def test_token(current_user: CurrentUser) -> models.User:
    return current_user


@router.post("/password-recovery/{email:text}", status_code=202)
def recover_password(db: SessionDep, email: Email) -> schemas.Msg:
    """Answers the same whether or not the e-mail is registered: the worker looks it up."""
    queue_email(db, "send_reset_password_email", email)
    return schemas.Msg(msg="If this e-mail is registered, a password recovery email is on its way")


@router.post("/reset-password/", responses=responses(400))
def reset_password(db: SessionDep, body: schemas.NewPassword) -> schemas.Msg:
    try:
        user = crud.user.get_by_token(
            db, token=body.token, purposes=["reset-password", "new-account"], for_update=True
        )
    except InvalidToken as error:
        raise HTTPException(400, "Invalid token") from error
    if not crud.user.is_active(user):
        raise HTTPException(400, "Invalid token")
    try:
        crud.user.update(db, db_obj=user, obj_in={"password": body.new_password})
    except WeakPassword as error:
        error.field = "new_password"
        raise
    return schemas.Msg(msg="Password updated successfully")
