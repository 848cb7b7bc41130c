from pydantic import MISSING, BaseModel, ConfigDict, Field

from app.schemas.types import Email, FullName, Password, PrivateModel, Secret


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
    email: Email | MISSING = MISSING
    password: Password | MISSING = MISSING
    current_password: Secret | None = None


class UserDeleteMe(PrivateModel):
    current_password: Secret


class UserUpdate(PrivateModel):
    full_name: FullName | None = None
    email: Email | MISSING = MISSING
    password: Password | MISSING = MISSING
    is_active: bool | MISSING = MISSING
    is_superuser: bool | MISSING = MISSING


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
