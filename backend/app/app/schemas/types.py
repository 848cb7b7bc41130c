"""Types that several schemas and parameters share."""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
)

from app.core.passwords import normalise

# PostgreSQL can't store NUL in a text.
NO_NUL = r"^[^\x00]*$"


def check_email(email: str) -> str:
    """Return the e-mail in lower case; refuse one that no mail can be sent to by plain SMTP."""
    if not email.rpartition("@")[0].isascii():
        raise ValueError("The part before the @-sign must be ASCII")
    return email.lower()


class PrivateModel(BaseModel):
    """A model with secrets: the text of a ValidationError does not repeat them."""

    model_config = ConfigDict(hide_input_in_errors=True)


# The default of a field that may be left out but not be null. Nothing reads it: an update
# writes the fields that were set.
UNSET: Any = None

Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(check_email)]
FullName = Annotated[str, StringConstraints(max_length=255, pattern=NO_NUL)]
# The length counts again in the form that is hashed.
Password = Annotated[
    str,
    StringConstraints(min_length=8, max_length=128, pattern=NO_NUL),
    AfterValidator(normalise),
    Field(min_length=8, max_length=128),
]
# A password or a token to be checked: whatever it is, as long as it is text.
Secret = Annotated[str, StringConstraints(max_length=4096, pattern=NO_NUL)]
# A primary key is a PostgreSQL integer.
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
