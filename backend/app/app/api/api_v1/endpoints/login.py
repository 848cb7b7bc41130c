from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Depends, Header, Request, Response
from fastapi.security import OAuth2PasswordRequestForm

from app.api.deps import CurrentUser, HashingSlot, SessionDep
from app.api.errors import error_response
from app.api.exceptions import (
    InactiveAccount,
    IncorrectCredentials,
    InvalidLink,
    NotAuthenticated,
)
from app.api.routing import APIRouter, raises
from app.api.session_tokens import (
    COOKIE,
    COOKIE_PATH,
    IDLE,
    RefreshCookie,
    access_token,
    set_refresh_cookie,
)
from app.core.config import settings
from app.core.security import InvalidToken
from app.crud.crud_session import decode_session_token
from app.crud.crud_session import session as crud_session
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
    request: Request,
    response: Response,
    db: SessionDep,
    form: Annotated[OAuth2PasswordRequestForm, Depends()],
    cookie: RefreshCookie,
    _: HashingSlot,
    x_session: Annotated[Literal["cookie"] | None, Header()] = None,
) -> Token:
    """OAuth2 password login; the username is the email.

    With the header `X-Session: cookie`, the response sets a cookie for `POST /login/refresh`.
    Without it, the session ends with the access token.
    """
    user = crud_user.authenticate(db, email=form.username, password=form.password)
    if user is None:
        raise IncorrectCredentials
    if not crud_user.is_active(user):
        raise InactiveAccount
    session = crud_session.create(
        db,
        owner_id=user.id,
        lifetime=IDLE if x_session else timedelta(minutes=settings.ACCESS_TOKEN_EXPIRE_MINUTES),
        user_agent=request.headers.get("user-agent", ""),
        address=request.client.host if request.client else "",
    )
    if x_session:
        crud_session.end_by_token(db, cookie, "refresh")  # The new cookie replaces this one.
        set_refresh_cookie(request, response, session)
    return access_token(session)


@router.post("/login/refresh", response_model=Token)
@raises(NotAuthenticated, InvalidToken)
def refresh_access_token(
    request: Request, response: Response, db: SessionDep, cookie: RefreshCookie
) -> Token | Response:
    """Return a new access token and a new cookie, in exchange for the cookie of the login.

    If a cookie is used again, the session ends, unless that happens within seconds.
    """
    if not cookie:
        raise NotAuthenticated
    session = crud_session.refresh(db, decode_session_token(cookie, "refresh"))
    if session is None:
        # Not raised: a session that has just been ended must be committed.
        return error_response(InvalidToken)
    set_refresh_cookie(request, response, session)
    return access_token(session)


@router.post("/login/logout")
def logout(request: Request, response: Response, db: SessionDep, cookie: RefreshCookie) -> Msg:
    """End the session of the access token and of the cookie, and delete the cookie."""
    _, _, token = request.headers.get("authorization", "").partition(" ")
    crud_session.end_by_token(db, token, "access")
    crud_session.end_by_token(db, cookie, "refresh")
    response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="strict")
    return Msg(msg="Logged out")


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
def reset_password(db: SessionDep, _: HashingSlot, body: NewPassword) -> Msg:
    try:
        user = crud_user.get_by_mailed_token(db, token=body.token)
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
