from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.page import PageQuery
from app.schemas.types import UNSET, Email, FullName, Password, PrivateModel, Secret


class Registration(BaseModel):
    is_open: bool


class UserRegister(PrivateModel):
    """What anyone may choose when signing up."""

    email: Email
    password: Password
    full_name: FullName | None = None


class UserCreate(UserRegister):
    is_active: bool = True
    is_superuser: bool = False


class UserUpdateMe(PrivateModel):
    """What users may change of their own; e-mail and password only with the current password."""

    full_name: FullName | None = None
    email: Email = UNSET
    password: Password = UNSET
    current_password: Secret | None = None


class UserDeleteMe(PrivateModel):
    current_password: Secret


class UserUpdate(PrivateModel):
    full_name: FullName | None = None
    email: Email = UNSET
    password: Password = UNSET
    is_active: bool = UNSET
    is_superuser: bool = UNSET


class UserUpdateByID(UserUpdate):
    """What superusers may change of everybody."""

    current_password: Secret | None = Field(
        default=None, description="Needed for a new email or password of one's own id"
    )


class UserDeleteByID(PrivateModel):
    current_password: Secret | None = Field(default=None, description="Needed for one's own id")


class User(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    email: str
    full_name: str | None
    is_active: bool
    is_superuser: bool


class UserQuery(PageQuery):
    sort: Literal[
        "id", "-id",
        "email", "-email",
        "full_name", "-full_name",
        "is_active", "-is_active",
        "is_superuser", "-is_superuser",
    ] = "id"  # fmt: skip
