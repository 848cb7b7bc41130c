from pydantic import MISSING, BaseModel, Field

from app.schemas.page import PageQuery
from app.schemas.types import (
    Email,
    FullName,
    Language,
    Password,
    PrivateModel,
    ReadModel,
    Secret,
)


class Registration(BaseModel):
    is_open: bool


class EmailIn(BaseModel):
    email: Email


class UserRegister(PrivateModel):
    """The fields of a sign-up."""

    email: Email
    password: Password
    full_name: FullName | None = None
    language: Language = "en"


class UserCreate(UserRegister):
    is_active: bool = True
    is_superuser: bool = False
    is_verified: bool = True


class UserUpdateMe(PrivateModel):
    """Changes to your own account. A new email or password requires `current_password`."""

    full_name: FullName | None = None
    email: Email | MISSING = MISSING
    password: Password | MISSING = MISSING
    language: Language | MISSING = MISSING
    current_password: Secret | None = None


class UserDeleteMe(PrivateModel):
    current_password: Secret


class UserUpdate(PrivateModel):
    full_name: FullName | None = None
    email: Email | MISSING = MISSING
    password: Password | MISSING = MISSING
    is_active: bool | MISSING = MISSING
    is_superuser: bool | MISSING = MISSING
    is_verified: bool | MISSING = MISSING
    language: Language | MISSING = MISSING


class UserUpdateByID(UserUpdate):
    """A superuser's changes to any user."""

    current_password: Secret | None = Field(
        default=None, description="Required to change your own email or password"
    )


class UserDeleteByID(PrivateModel):
    current_password: Secret | None = Field(default=None, description="Required to delete yourself")


class User(ReadModel):
    email: str
    full_name: str | None
    is_active: bool
    is_superuser: bool
    is_verified: bool
    language: Language


class UserQuery(PageQuery[User]):
    is_active: bool | None = None
    is_superuser: bool | None = None
    is_verified: bool | None = None
