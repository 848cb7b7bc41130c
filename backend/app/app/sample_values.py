"""Random values that fit the create schemas of models. Requires Faker."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from random import Random
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Column, Table

from app.db.base_class import Base, unique_keys
from app.schemas.types import NO_NUL, NOT_BLANK

# A part of a JSON schema.
Spec = dict[str, Any]
# The patterns that every value fits.
PATTERNS = (NO_NUL, NOT_BLANK)


class SampleValues:
    def __init__(self, seed: str) -> None:
        try:
            from faker import Faker
        except ImportError:
            sys.exit("Sample data requires Faker, which is not installed: pip install faker")
        fake = Faker()
        fake.seed_instance(seed)
        self.random: Random = fake.random
        self.now = datetime.now(UTC)
        makers: dict[str, Callable[[], str]] = {
            "address": fake.street_address,
            "city": fake.city,
            "code": lambda: fake.bothify("??-####").upper(),
            "company": fake.company,
            "country": fake.country,
            "email": fake.email,  # at example.com, example.net or example.org
            "first_name": fake.first_name,
            "full_name": fake.name,
            "last_name": fake.last_name,
            "name": fake.catch_phrase,
            "paragraph": fake.paragraph,
            "phone": lambda: fake.numerify("+1 202 555 01##"),  # reserved for fiction
            "title": lambda: fake.bs().capitalize(),
            "url": lambda: f"https://example.com/{fake.slug()}",
            "words": lambda: " ".join(fake.words(2)).capitalize(),
        }
        # Faker is too slow to be called for each row.
        self.pools = {name: [make() for _ in range(300)] for name, make in makers.items()}

    def omit(self) -> bool:
        """Return whether an optional value is omitted this time."""
        return self.random.random() < 0.2

    def time(self, days_ahead: int = 0) -> datetime:
        return self.now + timedelta(days=self.random.uniform(-365, days_ahead))

    def timestamps(self) -> dict[str, datetime]:
        return dict.fromkeys(("created_at", "updated_at"), self.time())

    def person(self) -> dict[str, str]:
        first, last = (self.random.choice(self.pools[key]) for key in ("first_name", "last_name"))
        domain = self.random.choice(["example.com", "example.net", "example.org"])
        email = f"{first}.{last}{self.random.randint(1, 9999)}@{domain}".lower()
        return {"full_name": f"{first} {last}", "email": email}

    def makers(self, schema: type[BaseModel], table: Table) -> dict[str, Callable[[], Any]]:
        """Return a function for each field that makes its values. References have none.

        Fields of an unsupported type have none either, and keep their defaults.
        """
        document = schema.model_json_schema()
        unique = {name for key in unique_keys(table) for name in key}
        makers: dict[str, Callable[[], Any]] = {}
        for name, spec in document.get("properties", {}).items():
            column = table.c.get(name)
            if column is None or column.foreign_keys:
                continue
            kinds = [
                document["$defs"][kind["$ref"].rpartition("/")[2]] if "$ref" in kind else kind
                for kind in spec.get("anyOf", [spec])
            ]
            nullable = {"type": "null"} in kinds
            kind = next(kind for kind in kinds if kind.get("type") != "null")
            if make := self._maker(column, kind, name in unique):
                makers[name] = self._or_none(make) if nullable else make
        return makers

    def _or_none(self, make: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: None if self.omit() else make()

    def _maker(self, column: Column[Any], spec: Spec, unique: bool) -> Callable[[], Any] | None:
        if choices := spec.get("enum", [spec["const"]] if "const" in spec else []):
            return lambda: self.random.choice(choices)
        match spec.get("type"), spec.get("format"):
            case "boolean", _:
                return lambda: self.random.random() < 0.5
            case ("integer" | "number", _) | (_, "decimal"):
                return self._number_maker(column, spec, unique)
            case _, "date":
                return lambda: self.time(days_ahead=60).date()
            case _, "date-time":
                return lambda: self.time(days_ahead=60)
            case "string", None | "email" | "uri" if spec.get("pattern", NO_NUL) in PATTERNS:
                return self._text_maker(column, spec, unique)
        return None

    def _number_maker(
        self, column: Column[Any], spec: Spec, unique: bool
    ) -> Callable[[], int | Decimal]:
        is_integer = spec.get("type") == "integer"
        digits = spec.get("maxDigits", getattr(column.type, "precision", None) or 9)
        places = spec.get("decimalPlaces", getattr(column.type, "scale", None) or 0)
        step = Decimal(1).scaleb(-places)
        limits = {key: Decimal(str(value)) for key, value in spec.items() if "imum" in key}
        largest = Decimal(10) ** (digits - places) - step
        high = min(
            limits.get("maximum", largest), limits.get("exclusiveMaximum", largest) - step, largest
        )
        low = max(limits.get("minimum", -largest), limits.get("exclusiveMinimum", -largest) + step)
        if not unique:
            # Prefer plausible numbers: 0 to 999, as far as the limits allow them.
            low = min(max(low, Decimal(0)), high)
            high = min(low + 999, high)
        first, last = int(low / step), int(high / step)
        if is_integer:
            return lambda: self.random.randint(first, last)
        return lambda: self.random.randint(first, last) * step

    def _text_maker(self, column: Column[Any], spec: Spec, unique: bool) -> Callable[[], str]:
        shortest, longest = spec.get("minLength", 0), spec.get("maxLength", 1000)
        names = [{"uri": "url"}.get(spec.get("format", ""), spec.get("format")), column.name]
        names += reversed(column.name.split("_"))
        fallback = "paragraph" if longest > 255 else "words"
        pool = self.pools[next((name for name in names if name in self.pools), fallback)]

        def make() -> str:
            text = self.random.choice(pool)
            if unique:
                text, at, domain = text.partition("@")
                tail = f"{self.random.getrandbits(40):010x}"[-longest:]
                room = longest - len(tail + at + domain) - 1
                text = (f"{text[:room]}-" if room > 0 else "") + tail + at + domain
            return text[:longest].rstrip().ljust(shortest, "x")

        return make


def is_optional(column: Column[Any], schema: type[BaseModel]) -> bool:
    field = schema.model_fields.get(column.name)
    return bool(column.nullable) and not (field and field.is_required())


def create_schema(model: type[Base]) -> type[BaseModel] | None:
    """Return OrderLineCreate of app.schemas.order_line for OrderLine of app.models.order_line."""
    try:
        module = import_module(model.__module__.replace("app.models", "app.schemas"))
    except ModuleNotFoundError:
        return None
    return getattr(module, f"{model.__name__}Create", None)
