"""A resource: its names, its fields, and the file that records them."""

import builtins
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_snake

from fields import Field, camel, check_name, parse_field
from workspace import Invalid

DEFINITIONS = "scripts/resource/definitions"

# Variables of the generated files, globals of TypeScript, paths and sections of texts.
RESERVED = (
    {"writer", "caller", "router", "schema", "schemas", "client", "option", "row", "body", "method", "connection"}
    | {"column", "columns", "url", "path", "before", "value", "values", "status", "own", "foreign", "invalid"}
    | {"response", "if_match", "statements", "queries", "fields", "record", "page", "message", "base"}
    | {"object", "array", "promise", "function", "number", "boolean", "symbol"}
    | {"password_recovery", "reset_password", "main", "admin", "test", "dist", "htmlcov"}
    | {"dashboard", "profile", "action", "app", "menu", "table", "theme", "problem", "notification", "password"}
)


@dataclass(frozen=True)
class Resource:
    """A resource. `name` is that of its table: order_line."""

    name: str
    plural: str
    shared: bool
    fields: tuple[Field, ...]
    # Whether users may import and export the rows.
    csv: bool = False

    @property
    def class_name(self) -> str:
        return camel(self.name, upper=True)

    @property
    def names(self) -> dict[str, str]:
        """Return the spellings of the name that the templates use."""
        return {
            "name": self.name,
            "plural": self.plural,
            "path": self.path,
            "class_name": self.class_name,
            "classes": camel(self.plural, upper=True),
            "words": self.name.replace("_", " "),
            "plural_words": self.plural.replace("_", " "),
            "key": camel(self.name),
            "client": camel(self.plural),
        }

    @property
    def path(self) -> str:
        """The name in URLs, and of the folder of the views: order-lines."""
        return self.plural.replace("_", "-")

    @property
    def title(self) -> Field | None:
        """The field whose value names a row: the first string that every row has."""
        return next((each for each in self.fields if each.type == "str" and not each.nullable), None)

    @property
    def references(self) -> list[Field]:
        return [each for each in self.fields if each.type == "ref"]

    def definition(self) -> str:
        """Return the content of the file that records the resource."""
        options = {"plural": self.plural, "shared": self.shared, "csv": self.csv}
        content = {"name": self.name, **options, "fields": [each.spec for each in self.fields]}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def pluralize(name: str) -> str:
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return name[:-1] + "ies"
    return name + ("es" if name.endswith(("s", "x", "z", "ch", "sh")) else "s")


def create(
    name: str, specs: list[str], *, plural: str | None = None, shared: bool = False, csv: bool = False
) -> Resource:
    """Raises Invalid."""
    check_name(name, "resource")
    plural = plural or pluralize(name)
    check_name(plural, "plural")
    for each in (name, plural):
        # Class names and the names in the client must lead back to the table.
        if to_snake(camel(each, upper=True)) != each or re.search(r"\d", each):
            raise Invalid(f"resource {each}: use words of two or more letters, without digits.")
        if each in RESERVED or hasattr(builtins, each):
            raise Invalid(
                f"resource {each}: this name has another meaning here. Choose another, such as {name}_record."
            )
    if plural == name:
        raise Invalid(f"resource {name}: the plural must differ from the name. Choose another: --plural {name}_list.")
    if not specs:
        raise Invalid(f"resource {name}: name at least one field, such as title:str:255:required.")
    return Resource(name, plural, shared, _parse_fields(name, specs), csv)


def _parse_fields(name: str, specs: list[str]) -> tuple[Field, ...]:
    fields = tuple(parse_field(spec) for spec in specs)
    columns: set[str] = set()
    labels: set[str] = set()
    for field in fields:
        if field.name in (name, f"{name}_create", f"{name}_update", f"{name}_query"):
            raise Invalid(f"field {field.name}: this is a name of the resource. Choose another, such as {name}_value.")
        if field.type == "ref" and field.required and field.target in ("user", name):
            why = "only superusers can set it" if field.target == "user" else "the first row has nothing to refer to"
            raise Invalid(f"field {field.name}: this reference can't be required, because {why}.")
        # A reference has two names: item and item_id.
        for column in {field.name, field.column}:
            if column in columns:
                raise Invalid(f"field {field.name}: this field occurs twice.")
            columns.add(column)
        # Fields such as line1 and line_1 have the same type name, and active and is_active the same label.
        if {field.alias, field.label} & labels:
            raise Invalid(f"field {field.name}: another field has almost the same name. Choose another.")
        labels |= {field.alias, field.label}
    return fields


def add_fields(resource: Resource, specs: list[str]) -> Resource:
    """Raises Invalid."""
    added = [parse_field(spec) for spec in specs]
    for field in added:
        if field.required and field.type != "bool":
            spec = field.spec.replace(":required", "")
            has_default = field.type not in ("date", "datetime", "ref")
            hint = f"give it a default ({spec}:default=VALUE)" if has_default else f"make it optional ({spec})"
            raise Invalid(f"field {field.name}: existing rows have no value, so {hint}.")
    specs = [each.spec for each in (*resource.fields, *added)]
    return replace(resource, fields=_parse_fields(resource.name, specs))


def load(content: dict[str, Any]) -> Resource:
    """Return the resource that a file records. Raises Invalid, KeyError and TypeError."""
    options = dict(content)
    return create(options.pop("name"), options.pop("fields"), **options)


def read_all(root: Path) -> dict[str, Resource]:
    """Return the recorded resources by name. Raises Invalid."""
    resources = {}
    for file in sorted((root / DEFINITIONS).glob("*.json")):
        try:
            resource = load(json.loads(file.read_text()))
            resources[resource.name] = resource
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid(f"{file.relative_to(root)} can't be read: restore it from git.") from error
    return resources
