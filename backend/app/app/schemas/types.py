"""Types that several schemas and parameters share."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    StringConstraints,
    validate_email,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError

from app.core.passwords import normalise

# PostgreSQL can't store NUL in a text.
NO_NUL = r"^[^\x00]*$"
# A text that users read is empty or has a visible character. Clients can check the pattern, too: it
# takes linear time.
NOT_BLANK = r"^(\s*[^\s\x00][^\x00]*)?$"


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


class ReadModel(BaseModel):
    """The fields that the response for every row contains."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: datetime
    updated_at: datetime


class Reference(BaseModel):
    """A row that another row refers to."""

    model_config = ConfigDict(from_attributes=True, validate_by_name=True)

    id: int
    title: str = Field(validation_alias="display_name")


class PrivateModel(BaseModel):
    """A model with secrets. The text of its ValidationError does not repeat the input."""

    model_config = ConfigDict(hide_input_in_errors=True)


Email = Annotated[
    str,
    Field(max_length=254, json_schema_extra={"format": "email"}),
    AfterValidator(parse_email),
    Field(max_length=254),
]
# Add a language in the web app (src/locales) and for the mails (email-templates), too.
Language = Literal["en", "ru"]
FullName = Annotated[str, StringConstraints(max_length=255, pattern=NOT_BLANK)]
# The length is checked again after normalisation, which can change it.
Password = Annotated[
    str,
    StringConstraints(min_length=8, max_length=128, pattern=NO_NUL),
    AfterValidator(normalise),
    Field(min_length=8, max_length=128),
]
# A password or a token to verify. Any text is valid input.
Secret = Annotated[str, StringConstraints(max_length=4096, pattern=NO_NUL)]
# A PostgreSQL integer.
Integer = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
# A primary key is a positive PostgreSQL integer.
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]


def to_utc(value: datetime) -> datetime:
    """Raises PydanticCustomError if the time has no year in UTC, as 0001-01-01T00:00+01:00."""
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("datetime_out_of_range", "The year must be 1 to 9999") from error


# A point in time. The request names its time zone; responses are in UTC.
DateTime = Annotated[AwareDatetime, AfterValidator(to_utc)]


class DecimalAsString:
    """Describes a decimal with its limits as a string: a JSON number would not be exact."""

    def __get_pydantic_json_schema__(
        self, schema: dict[str, Any], _: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        digits, places = schema["max_digits"], schema["decimal_places"]
        whole = rf"\d{{1,{max(1, digits - places)}}}"
        fraction = rf"(\.\d{{1,{places}}})?" if places else ""
        limits = {"ge": "minimum", "le": "maximum"}
        return {
            "type": "string",
            "format": "decimal",
            "pattern": f"^-?{whole}{fraction}$",
            "maxDigits": digits,
            "decimalPlaces": places,
            **{limits[key]: float(schema[key]) for key in limits if key in schema},
        }


def without_exponent(value: Decimal) -> str:
    """Return 0.0000000, not 0E-7."""
    return f"{value:f}"


# Add the limits: Annotated[ExactDecimal, Field(max_digits=12, decimal_places=2)].
ExactDecimal = Annotated[
    Decimal,
    PlainSerializer(without_exponent, when_used="json-unless-none"),
    DecimalAsString(),
]
