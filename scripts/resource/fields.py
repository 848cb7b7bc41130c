"""The fields of a resource, as they are written on the command line: NAME:TYPE[:ARGUMENT][:OPTION]..."""

import keyword
import re
from dataclasses import dataclass

from pydantic import BaseModel

from workspace import Invalid

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# The name of a constraint has at most 63 characters: uq_, a table, an underscore and a column.
MAX_NAME = 29
# The random values of the tests must differ, and a row of an index has at most 2,704 bytes.
UNIQUE_LENGTHS = range(4, 601)
MAX_INTEGER = 2**31 - 1

# Columns of every table, names in the generated classes, and columns and parameters of the web app's lists.
RESERVED = (
    {
        "id",
        "created_at",
        "updated_at",
        "owner_id",
        "owner",
        "display_name",
        "metadata",
        "registry",
        "type_annotation_map",
    }
    | {"date", "datetime", "decimal", "integer", "date_time", "exact_decimal", "reference", "read_model", "base_model"}
    | {"annotated", "literal", "field", "missing", "string_constraints", "str", "int", "bool", "false", "true", "none"}
    | {"mapped_column", "relationship", "synonym", "db", "self"}
    | {"actions", "q", "sort", "skip", "limit", "created_since", "filters"}
)

USAGE = {
    "str": "a text of one line: name:str:255",
    "text": "a long text: description:text",
    "int": "an integer: amount:int",
    "decimal": "a decimal number with precision and scale: price:decimal:12,2",
    "bool": "yes or no: is_public:bool",
    "date": "a day: due_on:date",
    "datetime": "a point in time: starts_at:datetime",
    "enum": "one of several values: status:enum:open,done",
    "ref": "a row of another resource, or a user: item:ref:item",
}


def camel(name: str, *, upper: bool = False) -> str:
    """Return the name as the client generator writes it: order_line and order-lines become orderLine."""
    first, *others = name.replace("-", "_").split("_")
    return "".join([first.capitalize() if upper else first, *(part.capitalize() for part in others)])


def sentence(name: str) -> str:
    """Return the name as a text: Order line for order_line."""
    return name.replace("_", " ").capitalize()


def check_name(name: str, what: str) -> None:
    """Raise Invalid if the name can't be the name of a resource or a field."""
    if not NAME.fullmatch(name):
        words = re.findall(r"[A-Z]*[a-z0-9]+|[A-Z]+", name) if name.isascii() else []
        snake = "_".join(words).lower()
        hint = f", such as {snake}" if NAME.fullmatch(snake) else ""
        raise Invalid(f"{what} {name!r}: use lower-case ASCII letters, digits and single underscores{hint}.")
    if len(name) > MAX_NAME:
        raise Invalid(f"{what} {name}: use at most {MAX_NAME} characters.")
    if keyword.iskeyword(name) or name in RESERVED or hasattr(BaseModel, name):
        kind = "a keyword of Python" if keyword.iskeyword(name) else "used by the generated code"
        raise Invalid(f"{what} {name}: this name is {kind}. Choose another, such as {name}_value.")


@dataclass(frozen=True)
class Field:
    """A field. `name` is that of the column; a reference to an item named `part` has the column part_id."""

    spec: str
    name: str
    type: str
    required: bool = False
    unique: bool = False
    default: str | None = None
    length: int = 0
    digits: int = 0
    places: int = 0
    values: tuple[str, ...] = ()
    target: str = ""

    @property
    def nullable(self) -> bool:
        return not self.required and self.default is None and self.type != "bool"

    @property
    def column(self) -> str:
        return f"{self.name}_id" if self.type == "ref" else self.name

    @property
    def alias(self) -> str:
        """The name of the type in the schemas: DueOn for due_on."""
        return camel(self.name, upper=True)

    @property
    def label(self) -> str:
        """The text in the web app: Due on for due_on, Public for is_public."""
        return sentence(self.name.removeprefix("is_"))


def parse_field(spec: str) -> Field:
    """Raises Invalid."""
    name, _, rest = spec.partition(":")
    check_name(name, "field")
    if name.endswith("_id"):
        raise Invalid(
            f"field {name}: names that end in _id are for references. Choose another, such as {name[:-3]}_number."
        )
    type_, *options = rest.split(":")
    if type_ not in USAGE:
        types = "\n".join(f"  {each:<9} {text}" for each, text in USAGE.items())
        problem = f"{type_} is not a type" if type_ else "the type is missing"
        raise Invalid(f"field {spec}: {problem}. The types are\n{types}")
    arguments: dict[str, object] = {}
    if type_ in PARSERS:
        if not options:
            raise Invalid(f"field {spec}: write {USAGE[type_]}.")
        arguments |= PARSERS[type_](spec, options.pop(0))
    for option in options:
        key, given, value = option.partition("=")
        if key not in ("required", "unique", "default") or (key == "default") != bool(given) or key in arguments:
            raise Invalid(
                f"field {spec}: {option!r} is not an option. The options are required, unique, default=VALUE."
            )
        arguments[key] = value if given else True
    field = Field(spec=spec, name=name, type=type_, **arguments)  # type: ignore[arg-type]
    if field.unique and (type_ not in ("str", "int") or (type_ == "str" and field.length not in UNIQUE_LENGTHS)):
        raise Invalid(f"field {spec}: only int, and str of 4 to 600 characters, can be unique.")
    if field.default is not None:
        _check_default(field)
    return field


def _parse_length(spec: str, argument: str) -> dict[str, object]:
    if not argument.isdecimal() or not 1 <= int(argument) <= 10_000:
        raise Invalid(f"field {spec}: the length must be 1 to 10000. Write {USAGE['str']}.")
    return {"length": int(argument)}


def _parse_digits(spec: str, argument: str) -> dict[str, object]:
    match = re.fullmatch(r"(\d{1,3}),(\d{1,3})", argument, re.ASCII)
    if not match or not 1 <= int(match[2]) < int(match[1]) <= 100:
        raise Invalid(f"field {spec}: write {USAGE['decimal']}; at most 100 digits, at least one after the point.")
    return {"digits": int(match[1]), "places": int(match[2])}


def _parse_values(spec: str, argument: str) -> dict[str, object]:
    values = tuple(argument.split(","))
    for value in values:
        if not NAME.fullmatch(value) or len(value) > MAX_NAME:
            raise Invalid(f"field {spec}: {value!r} is not a value. Write lower-case words: {USAGE['enum']}.")
    if len(values) == 1:
        raise Invalid(f"field {spec}: name at least two values: {USAGE['enum']}.")
    if len(set(values)) < len(values):
        raise Invalid(f"field {spec}: a value occurs twice.")
    return {"values": values}


def _parse_target(spec: str, argument: str) -> dict[str, object]:
    check_name(argument, "resource")
    return {"target": argument}


PARSERS = {
    "str": _parse_length,
    "decimal": _parse_digits,
    "enum": _parse_values,
    "ref": _parse_target,
}


def _check_default(field: Field) -> None:
    value = field.default or ""
    if field.type in ("date", "datetime", "ref"):
        raise Invalid(f"field {field.spec}: {field.type} can't have a default.")
    if not _is_valid(field, value):
        raise Invalid(f"field {field.spec}: {value!r} is not a valid default.")
    if field.required:
        raise Invalid(f"field {field.spec}: a field is either required or has a default.")


def _is_valid(field: Field, value: str) -> bool:
    match field.type:
        case "int":
            return bool(re.fullmatch(r"-?\d{1,10}", value, re.ASCII)) and abs(int(value)) <= MAX_INTEGER
        case "decimal":
            pattern = rf"-?\d{{1,{field.digits - field.places}}}(\.\d{{1,{field.places}}})?"
            return bool(re.fullmatch(pattern, value, re.ASCII))
        case "bool":
            return value in ("true", "false")
        case "enum":
            return value in field.values
        case "str" if len(value) > field.length:
            return False
    # Alembic removes outer quotes, and </ would end the script of a view.
    return bool(re.fullmatch(r"[ -~]{1,50}", value) and value.strip()) and not re.search(r"^['\"]|['\"]$|</", value)
