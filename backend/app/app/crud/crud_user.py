from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.config import settings
from app.core.passwords import weakness
from app.core.security import (
    InvalidToken,
    Purpose,
    decode_token,
    dummy_verify,
    fingerprint_matches,
    get_password_hash,
    verify_and_update,
    verify_password,
)
from app.crud.base import NEW, CRUDBase, as_list
from app.crud.crud_session import session as crud_session
from app.crud.exceptions import EmailTaken, LastSuperuser, ValueTaken, WeakPassword
from app.models.user import User
from app.schemas import user as schemas
from app.schemas.token import MailedPayload
from app.schemas.types import Email

# The number of an advisory lock, unique in this project.
SUPERUSERS_LOCK = 1

EMAIL = TypeAdapter[str](Email)


def normalise_email(email: str) -> str:
    """Return the email as it is stored, or an empty string if it is invalid."""
    try:
        return EMAIL.validate_python(email)
    except ValidationError:
        return ""


LATEST = select(User.id, User.display_name.label("title"), User.created_at)
SUMMARY = select(
    func.count().label("total"),
    func.count().filter(User.created_at > func.now() - NEW).label("new"),
    func.count().filter(~User.is_active).label("inactive"),
    func.count().filter(~User.is_verified).label("unverified"),
    as_list(LATEST.order_by(User.id.desc()).limit(3)).label("latest"),
)


class CRUDUser(CRUDBase[User, schemas.UserCreate, schemas.UserUpdate]):
    read_schema = schemas.User
    search_columns = (User.email, User.full_name)

    def get_by_email(self, db: Session, *, email: str) -> User | None:
        found = select(User).where(User.email == normalise_email(email))
        return db.scalars(found).one_or_none()

    def create(
        self, db: Session, *, obj_in: schemas.UserCreate, allow_weak_password: bool = False
    ) -> User:
        """Raises EmailTaken and WeakPassword."""
        if not allow_weak_password:
            self.reject_weak_password(obj_in.password, obj_in.email)
        hashed_password = get_password_hash(obj_in.password)
        db_obj = User(**obj_in.model_dump(exclude={"password"}), hashed_password=hashed_password)
        return self._save(db, db_obj)

    def register(self, db: Session, *, obj_in: schemas.UserRegister) -> bool:
        """Create an unverified user. Return False if the email is taken, after the same time.

        Raises WeakPassword.
        """
        self.reject_weak_password(obj_in.password, obj_in.email)
        values = obj_in.model_dump(exclude={"password"})
        values |= {"hashed_password": get_password_hash(obj_in.password), "is_verified": False}
        statement = insert(User).values(values).on_conflict_do_nothing(index_elements=["email"])
        return db.scalar(statement.returning(User.id)) is not None

    def update(
        self, db: Session, *, db_obj: User, obj_in: schemas.UserUpdate | dict[str, Any]
    ) -> User:
        """All sessions of a user with a new password, or who may not log in any more, end.

        Raises EmailTaken, LastSuperuser and WeakPassword.
        """
        fields = dict(self._fields_to_write(obj_in))
        is_shut_out = fields.get("is_active") is False or fields.get("is_verified") is False
        ends_sessions = "password" in fields or is_shut_out
        if "password" in fields:
            self.reject_weak_password(fields["password"], fields.get("email", db_obj.email))
            fields["hashed_password"] = get_password_hash(fields.pop("password"))
        if is_shut_out or fields.get("is_superuser") is False:
            self._ensure_not_last_superuser(db, db_obj)
        updated = super().update(db, db_obj=db_obj, obj_in=fields)
        if ends_sessions:
            crud_session.end(db, owner_id=updated.id)
        return updated

    def remove(self, db: Session, *, id: int) -> User | None:  # noqa: A002
        """Remove a user. The database also deletes the rows that belong to the user.

        Rows of others that require these rows are deleted, too.

        Raises LastSuperuser, and StillReferenced if a row requires the user.
        """
        db_obj = self.get(db, id, for_update=True)
        if db_obj is not None:
            self._ensure_not_last_superuser(db, db_obj)
        return super().remove(db, id=id)

    def authenticate(self, db: Session, *, email: str, password: str) -> User | None:
        """Return the user, active or not, locked until the commit.

        An unknown email takes as long as a wrong password.
        """
        user = self.get_by_email(db, email=email)
        if user is None:
            dummy_verify(password)
            return None
        verified = user.hashed_password
        matches, new_hash = verify_and_update(password, verified)
        if not matches:
            return None
        # Meanwhile, the password may have changed, or another login may have replaced the hash.
        locked = self.get(db, user.id, for_update=True)
        if locked is None:
            return None
        if locked.hashed_password != verified:
            return locked if verify_password(password, locked.hashed_password) else None
        if new_hash is None:
            return locked
        return self.update(db, db_obj=locked, obj_in={"hashed_password": new_hash})

    def get_by_mailed_token(
        self, db: Session, token: str, *purposes: Purpose
    ) -> tuple[User, MailedPayload]:
        """Return the active user of a mailed link, locked until the commit, and its claims.

        Raises InvalidToken, for example after the password or the email was changed: the owner of
        the old mailbox must not get the account.
        """
        claims = decode_token(token, *purposes)
        try:
            payload = MailedPayload.model_validate(claims)
        except ValidationError as error:
            raise InvalidToken from error
        user = self.get(db, payload.sub, for_update=True)
        if user is None or not (
            user.is_active
            and fingerprint_matches(payload.fingerprint, user.hashed_password, user.email)
        ):
            raise InvalidToken
        return user, payload

    def lock_users(
        self, db: Session, *, caller_id: int, user_id: int | None = None
    ) -> tuple[User | None, User | None]:
        """Lock the caller's row for reading and the other user's row for writing. Return both.

        The rows are locked in the order of their ids, so that two users who change each other do
        not cause a deadlock.
        """
        for_reading = {caller_id: True}
        if user_id is not None:
            for_reading[user_id] = False  # Overrides the line above if both ids are equal.
        users = {
            each: db.get(
                User,
                each,
                with_for_update={"read": for_reading[each], "of": User},
                populate_existing=True,
            )
            for each in sorted(for_reading)
        }
        return users[caller_id], None if user_id is None else users[user_id]

    def get_active_superusers(self, db: Session) -> Sequence[User]:
        return db.scalars(
            select(User).where(User.is_superuser, User.is_active).order_by(User.id)
        ).all()

    def summary(self, db: Session) -> dict[str, Any]:
        return dict(db.execute(SUMMARY).mappings().one())

    def is_active(self, user: User) -> bool:
        return user.is_active

    def is_superuser(self, user: User) -> bool:
        return user.is_superuser

    def _save(self, db: Session, db_obj: User) -> User:
        try:
            return super()._save(db, db_obj)
        except ValueTaken as error:
            if error.field != "email":
                raise
            raise EmailTaken from error

    def reject_weak_password(self, password: str, email: str) -> None:
        """Raises WeakPassword."""
        if found := weakness(password, email=email, project_name=settings.PROJECT_NAME):
            raise WeakPassword(found)

    def _ensure_not_last_superuser(self, db: Session, user: User) -> None:
        if not (user.is_superuser and user.is_active and user.is_verified):
            return
        # If two superusers remove each other at the same time, one waits here for the other.
        db.execute(select(func.pg_advisory_xact_lock(SUPERUSERS_LOCK)))
        others = select(User.id).where(User.is_superuser, User.is_active, User.is_verified)
        if db.scalar(others.where(User.id != user.id).limit(1)) is None:
            raise LastSuperuser


user = CRUDUser(User)
