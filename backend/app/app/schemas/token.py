from typing import Literal

from pydantic import BaseModel, Field

from app.schemas.types import Id, Password, Secret


class Token(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # OAuth2's word, no password
    expires_in: int = Field(description="Seconds until the token expires")


class TokenPayload(BaseModel):
    """The claims that name a token's user."""

    sub: Id
    fingerprint: str


class NewPassword(BaseModel):
    token: Secret
    new_password: Password
