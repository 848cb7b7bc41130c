from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Request, Response

from app.api.attempts import Attempts, AttemptsDep
from app.api.audit import AuditDep, AuditLog
from app.api.deps import (
    CurrentSuperuser,
    CurrentUser,
    HashingSlot,
    IfMatchDep,
    ReadSessionDep,
    SessionDep,
    SuperuserWriter,
    WriterDep,
)
from app.api.exceptions import (
    IncorrectPassword,
    MailNotConfigured,
    NotFound,
    RegistrationClosed,
    SuperuserRequired,
)
from app.api.pagination import PAGE_RESPONSE, page_response
from app.api.routing import APIRouter, raises
from app.core.config import settings
from app.core.security import fingerprint, verify_password
from app.crud.crud_session import session as crud_session
from app.crud.crud_user import user as crud_user
from app.crud.exceptions import EmailTaken, LastSuperuser
from app.models.user import User
from app.models.user_session import UserSession
from app.schemas import user as schemas
from app.schemas import user_session
from app.schemas.msg import Msg
from app.schemas.types import Id
from app.worker import (
    send_change_email,
    send_email_changing_email,
    send_new_account_email,
    send_sign_up_email,
)

router = APIRouter(prefix="/users", tags=["users"])


def require_user(user: User | None) -> User:
    if user is None:
        raise NotFound("The user with this username does not exist in the system")
    return user


def require_current_password(
    user: User, current_password: str | None, attempts: Attempts, audit: AuditLog
) -> None:
    """Raise IncorrectPassword if the password is wrong: a stolen token must not be enough.

    Call this before the first change, because a change would be committed in spite of the error.
    """
    with attempts.password(user.email):
        if not verify_password(current_password or "", user.hashed_password):
            audit.record("password_rejected", actor=user, target=user)
            raise IncorrectPassword


def record_changes(audit: AuditLog, actor: User, user: User, fields: dict[str, Any]) -> None:
    """Record the fields that differ from the user's, before they are written."""
    if "password" in fields:
        audit.record("password_changed", actor=actor, target=user)
    if fields.get("email", user.email) != user.email:
        audit.record("email_changed", actor=actor, target=user, detail=fields["email"])
    names = ("is_active", "is_superuser", "is_verified")
    changes = [f"{n}={fields[n]}" for n in names if n in fields and fields[n] != getattr(user, n)]
    if changes:
        audit.record("permissions_changed", actor=actor, target=user, detail=" ".join(changes))


def changes_credentials(user: User, fields: dict[str, Any]) -> bool:
    return "password" in fields or fields.get("email", user.email) != user.email


@router.get("/", response_model=list[schemas.User], responses=PAGE_RESPONSE)
def read_users(
    request: Request,
    db: ReadSessionDep,
    _: CurrentSuperuser,
    query: Annotated[schemas.UserQuery, Query()],
) -> Response:
    return page_response(request, query, crud_user.get_page(db, query))


@router.post("/", response_model=schemas.User, status_code=201)
@raises(EmailTaken)
def create_user(
    db: SessionDep,
    writer: SuperuserWriter,
    audit: AuditDep,
    _: HashingSlot,
    user_in: schemas.UserCreate,
) -> User:
    """Create a user. If mail is configured, the user is sent a link to set a password."""
    actor = writer.lock_caller()
    user = crud_user.create(db, obj_in=user_in)
    detail = "is_superuser=True" if user.is_superuser else ""
    audit.record("user_created", actor=actor, target=user, detail=detail)
    send_new_account_email.enqueue(db, actor, user.id)
    return user


@router.get("/me", response_model=schemas.User)
async def read_user_me(current_user: CurrentUser) -> User:
    return current_user


@router.put("/me", response_model=schemas.User)
@raises(IncorrectPassword, MailNotConfigured)
def update_user_me(
    db: SessionDep,
    writer: WriterDep,
    audit: AuditDep,
    attempts: AttemptsDep,
    _: HashingSlot,
    user_in: schemas.UserUpdateMe,
) -> User:
    """Changing the email or password requires `current_password`.

    A new email has to be confirmed first: it is sent a link, and the old one is informed. The
    response is the same if it is taken. A new password invalidates all of the user's tokens.
    """
    user = writer.lock_self()
    fields = user_in.model_dump(exclude_unset=True, exclude={"current_password"})
    if changes_credentials(user, fields):
        require_current_password(user, user_in.current_password, attempts, audit)
    new_email = fields.pop("email", user.email)
    if new_email != user.email:
        if not settings.EMAILS_ENABLED:
            raise MailNotConfigured
        if "password" in fields:
            crud_user.reject_weak_password(fields["password"], new_email)
    record_changes(audit, user, user, fields)
    user = crud_user.update(db, db_obj=user, obj_in=fields)
    if new_email != user.email:
        # For the old email, so that nobody can block others from changing to the new one.
        attempts.count_mail("change", user.email)
        current = fingerprint(user.hashed_password, user.email)
        send_change_email.enqueue(db, user, user.id, new_email, current)
        send_email_changing_email.enqueue(db, user, user.id, new_email)
    return user


@router.delete("/me", response_model=schemas.User)
@raises(IncorrectPassword, LastSuperuser)
def delete_user_me(
    db: SessionDep,
    writer: WriterDep,
    audit: AuditDep,
    attempts: AttemptsDep,
    _: HashingSlot,
    body: schemas.UserDeleteMe,
) -> User:
    """Delete your account and everything you own."""
    user = writer.lock_self()
    require_current_password(user, body.current_password, attempts, audit)
    audit.record("user_deleted", actor=user, target=user)
    crud_user.remove(db, id=user.id)
    return user


@router.get("/open")
async def read_registration() -> schemas.Registration:
    """Return whether anyone may sign up."""
    return schemas.Registration(is_open=settings.registration_is_open)


@router.post("/open", status_code=202)
@raises(RegistrationClosed)
def create_user_open(
    db: SessionDep,
    audit: AuditDep,
    attempts: AttemptsDep,
    _: HashingSlot,
    user_in: schemas.UserRegister,
) -> Msg:
    """Sign up, if USERS_OPEN_REGISTRATION is on and mail is configured.

    The response is the same if the email is taken. The mail contains a link to confirm the email,
    or says that the account exists.
    """
    if not settings.registration_is_open:
        raise RegistrationClosed
    crud_user.reject_weak_password(user_in.password, user_in.email)
    attempts.count_mail("sign-up", user_in.email)
    is_new = crud_user.register(db, obj_in=user_in)
    target = crud_user.get_by_email(db, email=user_in.email)
    audit.record("signed_up", actor=None, target=target, detail="" if is_new else "email taken")
    send_sign_up_email.enqueue(db, None, user_in.email, is_new)
    return Msg(msg="An email with the next step is on its way")


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
    audit: AuditDep,
    attempts: AttemptsDep,
    if_match: IfMatchDep,
    _: HashingSlot,
    user_id: Id,
    user_in: schemas.UserUpdateByID,
) -> User:
    """Changing your own email or password requires `current_password`, as in `PUT /users/me`."""
    user = require_user(writer.lock_user(user_id))
    if_match.check(user)
    fields = user_in.model_dump(exclude_unset=True, exclude={"current_password"})
    if user.id == current_user.id and changes_credentials(user, fields):
        require_current_password(user, user_in.current_password, attempts, audit)
    record_changes(audit, current_user, user, fields)
    return crud_user.update(db, db_obj=user, obj_in=fields)


@router.delete("/{user_id}/sessions", response_model=list[user_session.UserSession])
@raises(NotFound)
def end_user_sessions(
    db: SessionDep,
    writer: SuperuserWriter,
    current_user: CurrentSuperuser,
    audit: AuditDep,
    user_id: Id,
) -> Sequence[UserSession]:
    """Log a user out everywhere."""
    user = require_user(writer.lock_user(user_id))
    audit.record("session_ended", actor=current_user, target=user, detail="all")
    return crud_session.end(db, owner_id=user.id)


@router.delete("/{user_id}", response_model=schemas.User)
@raises(IncorrectPassword, NotFound, LastSuperuser)
def delete_user(
    db: SessionDep,
    writer: SuperuserWriter,
    current_user: CurrentSuperuser,
    audit: AuditDep,
    attempts: AttemptsDep,
    _: HashingSlot,
    user_id: Id,
    body: schemas.UserDeleteByID | None = None,
) -> User:
    """Delete a user and everything they own.

    Deleting yourself requires `current_password` in the body.
    """
    user = require_user(writer.lock_user(user_id))
    if user.id == current_user.id:
        require_current_password(user, body.current_password if body else None, attempts, audit)
    audit.record("user_deleted", actor=current_user, target=user)
    crud_user.remove(db, id=user.id)
    return user
