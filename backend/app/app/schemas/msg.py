from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

from app.schemas.types import NO_NUL


class Msg(BaseModel):
    msg: Annotated[str, StringConstraints(max_length=10_000, pattern=NO_NUL)]


class Error(BaseModel):
    """The body of every answer that reports a failure, except a 422's."""

    detail: str


class OAuth2Error(Error):
    """The body of a rejected login (RFC 6749, 5.2)."""

    error: Literal["invalid_grant"] = "invalid_grant"
    error_description: str
