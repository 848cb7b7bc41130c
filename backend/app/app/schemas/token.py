from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.core.security import Purpose
from app.schemas.types import Email, Id, Password, PrivateModel, Secret

# A Unix timestamp in seconds, up to the year 9999.
Time = Annotated[int, Field(strict=True, ge=1, le=253_402_300_799)]


class Token(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # not a password
    expires_in: int = Field(description="Seconds until the token expires")


class TokenPayload(BaseModel):
    """The claims that every token must have."""

    sub: Id
    iat: Time
    exp: Time
    aud: str
    purpose: Purpose
    fingerprint: str


class SessionPayload(TokenPayload):
    """The claims of access tokens and refresh tokens."""

    session: Id
    generation: Annotated[int, Field(strict=True, ge=0)] = 0


class MailedPayload(TokenPayload):
    """The claims of the token in a mailed link."""

    email: Email | None = Field(default=None, description="The email to change to")


class MailedToken(PrivateModel):
    token: Secret


class NewPassword(MailedToken):
    new_password: Password
