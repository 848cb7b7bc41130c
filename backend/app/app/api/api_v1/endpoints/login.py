from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Depends, Header, Request, Response
from fastapi.security import OAuth2PasswordRequestForm

from app.api.attempts import AttemptsDep
from app.api.audit import AuditDep
from app.api.deps import (
    CurrentUser,
    HashingSlot,
    SessionDep,
    client_address,
    get_user_of_link,
)
from app.api.exceptions import (
    EmailNotVerified,
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
from app.crud.crud_session import TokenReused, decode_session_token
from app.crud.crud_session import session as crud_session
from app.crud.crud_user import user as crud_user
from app.crud.exceptions import EmailTaken, WeakPassword
from app.models.user import User
from app.schemas import user as schemas
from app.schemas.audit import Event
from app.schemas.msg import Msg
from app.schemas.token import MailedToken, NewPassword, Token
from app.schemas.types import Email
from app.schemas.user import EmailIn
from app.worker import send_reset_password_email, send_verification_email

router = APIRouter(tags=["login"])


@router.post("/login/access-token")
@raises(IncorrectCredentials, InactiveAccount, EmailNotVerified)
def login_access_token(
    request: Request,
    response: Response,
    db: SessionDep,
    form: Annotated[OAuth2PasswordRequestForm, Depends()],
    cookie: RefreshCookie,
    audit: AuditDep,
    attempts: AttemptsDep,
    _: HashingSlot,
    x_session: Annotated[Literal["cookie"] | None, Header()] = None,
) -> Token:
    """OAuth2 password login; the username is the email.

    With the header `X-Session: cookie`, the response sets a cookie for `POST /login/refresh`.
    Without it, the session ends with the access token.
    """
    with attempts.password(form.username):
        user = crud_user.authenticate(db, email=form.username, password=form.password)
        if user is None:
            target = crud_user.get_by_email(db, email=form.username)
            audit.record("login_failed", actor=None, target=target)
            raise IncorrectCredentials
    if not crud_user.is_active(user):
        audit.record("login_failed", actor=None, target=user, detail="inactive")
        raise InactiveAccount
    if not user.is_verified:
        audit.record("login_failed", actor=None, target=user, detail="email not verified")
        raise EmailNotVerified
    session = crud_session.create(
        db,
        owner_id=user.id,
        lifetime=IDLE if x_session else timedelta(minutes=settings.ACCESS_TOKEN_EXPIRE_MINUTES),
        user_agent=request.headers.get("user-agent", ""),
        address=client_address(request),
    )
    audit.record("login", actor=user, target=user, session_id=session.id)
    if x_session:
        crud_session.end_by_token(db, cookie, "refresh")  # The new cookie replaces this one.
        set_refresh_cookie(request, response, session)
    return access_token(session)


@router.post("/login/refresh")
@raises(NotAuthenticated, InvalidToken)
def refresh_access_token(
    request: Request, response: Response, db: SessionDep, cookie: RefreshCookie, audit: AuditDep
) -> Token:
    """Return a new access token and a new cookie, in exchange for the cookie of the login.

    If a cookie is used again, the session ends, unless that happens within seconds.
    """
    if not cookie:
        raise NotAuthenticated
    payload = decode_session_token(cookie, "refresh")
    try:
        session = crud_session.refresh(db, payload)
    except TokenReused:
        target = crud_user.get(db, payload.sub)
        audit.record("refresh_token_reused", actor=None, target=target, session_id=payload.session)
        raise
    set_refresh_cookie(request, response, session)
    return access_token(session)


@router.post("/login/logout")
def logout(
    request: Request, response: Response, db: SessionDep, cookie: RefreshCookie, audit: AuditDep
) -> Msg:
    """End the session of the access token and of the cookie, and delete the cookie."""
    _, _, token = request.headers.get("authorization", "").partition(" ")
    ended = [
        *crud_session.end_by_token(db, token, "access"),
        *crud_session.end_by_token(db, cookie, "refresh"),
    ]
    for session in ended:
        user = crud_user.get(db, session.owner_id)
        audit.record("logout", actor=user, target=user, session_id=session.id)
    response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="strict")
    return Msg(msg="Logged out")


@router.post("/login/test-token", response_model=schemas.User)
async def test_token(current_user: CurrentUser) -> User:
    return current_user


# The convertor "text" also matches line breaks (app.api.routing).
@router.post("/password-recovery/{email:text}", status_code=202)
def recover_password(db: SessionDep, attempts: AttemptsDep, email: Email) -> Msg:
    """Send a recovery mail. The response is the same whether or not the email is registered."""
    attempts.count_mail("recovery", email)
    # The worker looks up the email, so the response time does not depend on the result either.
    send_reset_password_email.enqueue(db, None, email)
    return Msg(msg="If this email is registered, a password recovery email is on its way")


@router.post("/email-verification/", status_code=202)
def send_email_verification(db: SessionDep, attempts: AttemptsDep, body: EmailIn) -> Msg:
    """Send the link to confirm the email again. The response is the same for every email."""
    attempts.count_mail("verification", body.email)
    send_verification_email.enqueue(db, None, body.email)
    return Msg(msg="If this email has to be confirmed, a link is on its way")


@router.post("/verify-email/")
@raises(InvalidLink, EmailTaken)
def verify_email(db: SessionDep, audit: AuditDep, body: MailedToken) -> Msg:
    """Confirm the email of a new account, or the new email of an account."""
    user, payload = get_user_of_link(db, body.token, "verify-email", "change-email")
    if payload.email is None and user.is_verified:
        raise InvalidLink  # It was used before.
    email = payload.email or user.email
    event: Event = "email_changed" if payload.email else "email_verified"
    audit.record(event, actor=user, target=user, detail=email)
    crud_user.update(db, db_obj=user, obj_in={"email": email, "is_verified": True})
    return Msg(msg="Email confirmed")


@router.post("/reset-password/")
@raises(InvalidLink)
def reset_password(db: SessionDep, audit: AuditDep, _: HashingSlot, body: NewPassword) -> Msg:
    user, _payload = get_user_of_link(db, body.token, "reset-password", "new-account")
    # The link has shown that the email belongs to the user.
    fields = {"password": body.new_password, "is_verified": True}
    try:
        crud_user.update(db, db_obj=user, obj_in=fields)
    except WeakPassword as error:
        error.field = "new_password"
        raise
    audit.record("password_changed", actor=user, target=user, detail="with a mailed link")
    return Msg(msg="Password updated successfully")
