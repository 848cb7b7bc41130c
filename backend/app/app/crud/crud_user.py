from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.security import (
    InvalidToken,
    Purpose,
    decode_token,
    get_password_hash,
    is_fingerprint_of,
    verify_and_update_password,
    verify_no_password,
)
from app.crud.base import CRUDBase
from app.crud.exceptions import EmailTaken, LastSuperuser
from app.models import User
from app.schemas import TokenPayload, UserCreate, UserUpdate

# Any number that no other pg_advisory_lock of this project takes.
SUPERUSERS_LOCK = 1


class CRUDUser(CRUDBase[User, UserCreate, UserUpdate]):
    list_columns = (User.id, User.email, User.full_name, User.is_active, User.is_superuser)
    search_columns = (User.email, User.full_name)

    def get_by_email(self, db: Session, *, email: str) -> User | None:
        if "\0" in email:  # PostgreSQL can't even be asked.
            return None
        return db.scalars(select(User).where(User.email == email.lower())).one_or_none()

    def create(self, db: Session, *, obj_in: UserCreate) -> User:
        """Raises EmailTaken."""
        hashed_password = get_password_hash(obj_in.password)
        db_obj = User(**obj_in.model_dump(exclude={"password"}), hashed_password=hashed_password)
        try:
            return self._add(db, db_obj)
        except IntegrityError as error:
            raise EmailTaken from error

    def update(self, db: Session, *, db_obj: User, obj_in: UserUpdate | dict[str, Any]) -> User:
        """Raises EmailTaken and LastSuperuser."""
        fields = dict(self._set_fields(obj_in))
        if "password" in fields:
            fields["hashed_password"] = get_password_hash(fields.pop("password"))
        if fields.get("is_active") is False or fields.get("is_superuser") is False:
            self._check_others_administrate(db, db_obj)
        try:
            return super().update(db, db_obj=db_obj, obj_in=fields)
        except IntegrityError as error:
            raise EmailTaken from error

    def remove(self, db: Session, *, id: int) -> User | None:  # noqa: A002
        """Remove a user and the user's items. Raises LastSuperuser."""
        db_obj = self.get(db, id, for_update=True)
        if db_obj is not None:
            self._check_others_administrate(db, db_obj)
        return super().remove(db, id=id)

    def authenticate(self, db: Session, *, email: str, password: str) -> User | None:
        """Return the user, active or not; an unknown e-mail takes as long as a wrong password."""
        user = self.get_by_email(db, email=email)
        if user is None:
            verify_no_password()
            return None
        valid, new_hash = verify_and_update_password(password, user.hashed_password)
        if new_hash is not None:
            user.hashed_password = new_hash
            db.flush()
        return user if valid else None

    def get_by_token(
        self, db: Session, *, token: str, purposes: Sequence[Purpose], for_update: bool = False
    ) -> User:
        """Return the user whom a token names. Raises InvalidToken, also after a password change."""
        claims = decode_token(token, *purposes)
        try:
            payload = TokenPayload.model_validate(claims)
        except ValidationError as error:
            raise InvalidToken from error
        user = self.get(db, payload.sub, for_update=for_update)
        if user is None or not is_fingerprint_of(payload.fingerprint, user.hashed_password):
            raise InvalidToken
        return user

    def is_active(self, user: User) -> bool:
        return user.is_active

    def is_superuser(self, user: User) -> bool:
        return user.is_superuser

    def _check_others_administrate(self, db: Session, user: User) -> None:
        # Two superusers who remove each other at the same time take turns.
        db.execute(select(func.pg_advisory_xact_lock(SUPERUSERS_LOCK)))
        others = select(User.id).where(User.is_superuser, User.is_active, User.id != user.id)
        if user.is_superuser and user.is_active and db.scalar(others.limit(1)) is None:
            raise LastSuperuser


user = CRUDUser(User)
