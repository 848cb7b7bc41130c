from typing import Annotated

from fastapi import Depends, Response
from fastapi.security import OAuth2PasswordRequestForm

from app.api.deps import CurrentUser, SessionDep
from app.api.exceptions import InactiveAccount, IncorrectCredentials, InvalidLink
from app.api.routing import APIRouter, raises
from app.core import security
from app.core.config import settings
from app.core.security import InvalidToken
from app.crud.crud_user import user as crud_user
from app.crud.exceptions import WeakPassword
from app.models.user import User
from app.schemas import user as schemas
from app.schemas.msg import Msg
from app.schemas.token import NewPassword, Token
from app.schemas.types import Email
from app.worker import send_reset_password_email

router = APIRouter(tags=["login"])


@router.post("/login/access-token")
@raises(IncorrectCredentials, InactiveAccount)
def login_access_token(
    response: Response, db: SessionDep, form: Annotated[OAuth2PasswordRequestForm, Depends()]
) -> Token:
    """OAuth2 password login; the username is the email."""
    user = crud_user.authenticate(db, email=form.username, password=form.password)
    if user is None:
        raise IncorrectCredentials
    if not crud_user.is_active(user):
        raise InactiveAccount
    token = security.create_access_token(user.id, password_hash=user.hashed_password)
    response.headers["Cache-Control"] = "no-store"
    return Token(access_token=token, expires_in=settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60)


@router.post("/login/test-token", response_model=schemas.User)
async def test_token(current_user: CurrentUser) -> User:
    return current_user


# The convertor "text" also matches line breaks (app.api.routing).
@router.post("/password-recovery/{email:text}", status_code=202)
def recover_password(db: SessionDep, email: Email) -> Msg:
    """Send a recovery mail. The response is the same whether or not the email is registered."""
    # The worker looks up the email, so the response time does not depend on the result either.
    send_reset_password_email.delay_after_commit(db, email)
    return Msg(msg="If this email is registered, a password recovery email is on its way")


@router.post("/reset-password/")
@raises(InvalidLink)
def reset_password(db: SessionDep, body: NewPassword) -> Msg:
    try:
        user = crud_user.get_by_token(
            db, token=body.token, purposes=["reset-password", "new-account"], for_update=True
        )
    except InvalidToken as error:
        raise InvalidLink from error
    if not crud_user.is_active(user):
        raise InvalidLink
    try:
        crud_user.update(db, db_obj=user, obj_in={"password": body.new_password})
    except WeakPassword as error:
        error.field = "new_password"
        raise
    return Msg(msg="Password updated successfully")
