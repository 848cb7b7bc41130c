"""Types that several schemas and parameters share."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    validate_email,
)
from pydantic_core import PydanticCustomError

from app.core.passwords import normalise

# PostgreSQL can't store NUL in a text.
NO_NUL = r"^[^\x00]*$"


def parse_email(email: str) -> str:
    """Return the email in lower case. Clients translate an error by its type."""
    try:
        _, email = validate_email(email)
    except PydanticCustomError as error:
        raise PydanticCustomError("email_invalid", error.message_template, error.context) from error
    if not email.rpartition("@")[0].isascii():
        # Mail servers are not required to accept other characters.
        raise PydanticCustomError("email_not_ascii", "The part before the @-sign must be ASCII")
    return email.lower()


class PrivateModel(BaseModel):
    """A model with secrets. The text of its ValidationError does not repeat the input."""

    model_config = ConfigDict(hide_input_in_errors=True)


Email = Annotated[
    str,
    Field(max_length=254, json_schema_extra={"format": "email"}),
    AfterValidator(parse_email),
    Field(max_length=254),
]
FullName = Annotated[str, StringConstraints(max_length=255, pattern=NO_NUL)]
# The length is checked again after normalisation, which can change it.
Password = Annotated[
    str,
    StringConstraints(min_length=8, max_length=128, pattern=NO_NUL),
    AfterValidator(normalise),
    Field(min_length=8, max_length=128),
]
# A password or a token to verify. Any text is valid input.
Secret = Annotated[str, StringConstraints(max_length=4096, pattern=NO_NUL)]
# A primary key is a PostgreSQL integer.
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
