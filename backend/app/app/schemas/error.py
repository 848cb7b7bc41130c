from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field


class Error(BaseModel):
    """The body of every response that reports a failure, except a 422."""

    detail: str
    code: str
    field: str = Field(default="", description="The request field that caused the error, if any")


class OAuth2Error(Error):
    """The body of the response to a rejected login (RFC 6749, section 5.2)."""

    error: Literal["invalid_grant"]
    error_description: str


def numeric_limits(context: dict[str, Any]) -> dict[str, int | float | Decimal]:
    """Return the numbers in the context, which are limits. Other entries may repeat the input."""
    return {
        name: value for name, value in context.items() if isinstance(value, int | float | Decimal)
    }


class ValidationError(BaseModel):
    """One problem of a request. `ctx` contains the limits, such as `max_length`."""

    type: str
    loc: list[str | int]
    msg: str
    ctx: Annotated[dict[str, int | float], BeforeValidator(numeric_limits)] = {}


class HTTPValidationError(BaseModel):
    detail: list[ValidationError]
    code: Literal["validation_error"]


def name_blank(problem: dict[str, Any]) -> dict[str, Any]:
    """Give a blank text its own type. Clients translate an error by its type."""
    if problem["type"] == "string_pattern_mismatch" and str(problem["input"]).isspace():
        return problem | {"type": "string_blank", "msg": "The text must not be blank"}
    return problem
