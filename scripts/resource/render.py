"""Renders the files of a resource from the templates."""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import jinja2

from definition import Resource, camel, sentence
from fields import MAX_INTEGER, Field

TEMPLATES = Path(__file__).parent / "templates"

# Delimiters that neither Python nor Vue uses.
ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES),
    variable_start_string="«",
    variable_end_string="»",
    block_start_string="<%",
    block_end_string="%>",
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    undefined=jinja2.StrictUndefined,
    # The output is source code. Names and values were validated.
    autoescape=False,  # noqa: S701
)

COLUMN_TYPES = {
    "str": "str",
    "text": "str",
    "enum": "str",
    "int": "int",
    "ref": "int",
    "bool": "bool",
    "decimal": "Decimal",
    "date": "date",
    "datetime": "datetime",
}
INPUT_TYPES = {"int": "Integer", "ref": "Id", "bool": "bool", "date": "date", "datetime": "DateTime"}


def paths(resource: Resource) -> dict[str, str]:
    """Return the files of a resource, with their templates."""
    name, plural, folder = resource.name, resource.plural, resource.path
    app, views = "backend/app/app", f"frontend/src/views/main/{folder}"
    classes = camel(plural, upper=True)
    return {
        f"{app}/models/{name}.py": "backend/model.py",
        f"{app}/schemas/{name}.py": "backend/schemas.py",
        f"{app}/crud/crud_{name}.py": "backend/crud.py",
        f"{app}/api/api_v1/endpoints/{plural}.py": "backend/endpoints.py",
        f"{app}/tests/utils/{name}.py": "backend/test_utils.py",
        f"{app}/tests/crud/test_{name}.py": "backend/test_crud.py",
        f"{app}/tests/api/api_v1/test_{plural}.py": "backend/test_api.py",
        f"{views}/{classes}.vue": "frontend/list.vue",
        f"{views}/{resource.class_name}Form.vue": "frontend/form.vue",
        f"{views}/routes.ts": "frontend/routes.ts",
        f"frontend/tests/e2e/records/{folder}.ts": "frontend/record.ts",
        f"frontend/tests/e2e/{folder}.spec.ts": "frontend/browser_test.ts",
    }


def render(resource: Resource, others: Mapping[str, Resource]) -> dict[str, str]:
    """Return the content of each file. `others` has the resources that this one refers to."""
    context = _context(resource, others)
    return {
        path: ENVIRONMENT.get_template(f"{template}.jinja").render(context)
        for path, template in paths(resource).items()
    }


def _context(resource: Resource, others: Mapping[str, Resource]) -> dict[str, Any]:
    fields, references = resource.fields, resource.references
    every = {**others, resource.name: resource}
    return {
        "name": resource.name,
        "plural": resource.plural,
        "path": resource.path,
        "shared": resource.shared,
        "class_name": resource.class_name,
        "classes": camel(resource.plural, upper=True),
        "words": resource.name.replace("_", " "),
        "plural_words": resource.plural.replace("_", " "),
        "key": camel(resource.name),
        "client": camel(resource.path),
        "fields": fields,
        "title": resource.title,
        "label": resource.title.name if resource.title else "id",
        "references": references,
        "targets": sorted({each.target for each in references}),
        "required": [each for each in fields if each.required and each.type != "bool"],
        "required_references": [each for each in references if each.required],
        "required_targets": sorted({each.target for each in references if each.required}),
        "texts": [each for each in fields if each.type in ("str", "text")],
        "column_types": COLUMN_TYPES,
        "aliases": {"str": _text_type, "text": _text_type, "decimal": _decimal_type, "enum": _enum_type},
        "mapped_column": _mapped_column,
        "relationship": lambda field: _relationship(resource, field),
        "reference_type": lambda field: _reference_type(resource, field),
        "input_type": lambda field: INPUT_TYPES.get(field.type, field.alias),
        "read_type": _read_type,
        "default": _default,
        "sample": _sample,
        "random_value": _random_value,
        "invalid": _invalid,
        "is_shared": lambda target: target in every and every[target].shared,
        "resource_of": every.__getitem__,
        "chooses": [each for each in fields if each.type == "enum" or each.target not in ("", "user", resource.name)],
        "browser_targets": sorted({each.target for each in references} - {"user"}),
        "drafts": [each for each in fields if each.required and each.type not in ("str", "text", "bool")],
        "empty": _empty,
        "lengths": [each for each in fields if each.type in ("str", "text")],
        "length_of": _length_of,
        "unique_lengths": sorted({_length_of(each) for each in fields if each.type in ("str", "text")}),
        "reader": lambda field: _reader(field.target, every),
        "reference_imports": sorted({_reader(each.target, every) for each in references}),
        "reference_label": lambda field: _reference_label(field, every),
        "browser_text": lambda field: _sample(field).strip('"').removesuffix(":00Z"),
        "browser_value": _browser_value,
        "browser_random": _browser_random,
        "crypto": sorted({"randomInt" if each.type == "int" else "randomUUID" for each in fields if each.unique}),
        "camel": camel,
        "sentence": sentence,
        "article": lambda words: f"{'an' if words[0] in 'aeiou' else 'a'} {words}",
    }


def _mapped_column(field: Field) -> str:
    arguments = []
    match field.type:
        case "str":
            arguments.append(f"String({field.length})")
        case "text":
            arguments.append("Text")
        case "decimal":
            arguments.append(f"Numeric({field.digits}, {field.places})")
        case "bool":
            arguments.append(f"server_default={'true' if field.default == 'true' else 'false'}()")
        case "ref":
            rule = "CASCADE" if field.required else "SET NULL"
            arguments.append(f'ForeignKey("{field.target}.id", ondelete="{rule}"), index=True')
            if field.required:
                arguments.append("info=PROTECT")
    if field.default is not None and field.type != "bool":
        arguments.append(f"server_default={quoted(field.default)}")
    if field.unique:
        arguments.append("unique=True")
    return f" = mapped_column({', '.join(arguments)})" if arguments else ""


def _reference_type(resource: Resource, field: Field) -> str:
    target = camel(field.target, upper=True) + (" | None" if field.nullable else "")
    return f'"{target}"' if field.target == resource.name else target


def _relationship(resource: Resource, field: Field) -> str:
    own = f', remote_side="{resource.class_name}.id", join_depth=1' if field.target == resource.name else ""
    return f'foreign_keys=[{field.column}], lazy="joined"{own}'


def _text_type(field: Field) -> str:
    minimum = "min_length=1, " if field.required or field.unique else ""
    length = field.length if field.type == "str" else "10_000"
    return f"Annotated[str, StringConstraints({minimum}max_length={length}, pattern=NO_NUL)]"


def _decimal_type(field: Field) -> str:
    return f"Annotated[ExactDecimal, Field(max_digits={field.digits}, decimal_places={field.places})]"


def _enum_type(field: Field) -> str:
    return f"Literal[{', '.join(map(quoted, field.values))}]"


def _read_type(field: Field) -> str:
    if field.type in ("decimal", "enum"):
        return field.alias
    return COLUMN_TYPES[field.type]


def quoted(text: str) -> str:
    """Return a literal that is valid in Python and in TypeScript."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _default(field: Field) -> str:
    match field.type:
        case "bool":
            return str(field.default == "true")
        case "int":
            return str(int(field.default or 0))
        case "decimal":
            return f"Decimal({quoted(field.default or '')})"
    return quoted(field.default or "")


def _number(field: Field) -> str:
    return str(Decimal("1.5").quantize(Decimal(1).scaleb(-field.places)) if field.places > 1 else Decimal("1.5"))


def _sample(field: Field) -> str:
    """Return a valid value in JSON that differs from the default, as Python source."""
    match field.type:
        case "int":
            return "7"
        case "decimal":
            return quoted(_number(field))
        case "bool":
            return str(field.default != "true")
        case "date":
            return '"2026-01-31"'
        case "datetime":
            return '"2026-01-31T10:30:00Z"'
        case "enum":
            return quoted(field.values[-1])
        case "str":
            return quoted(field.label[: field.length])
    return quoted(field.label)


def _random_value(field: Field) -> str:
    match field.type:
        case "str":
            return "random_lower_string()" + (f"[:{field.length}]" if field.length < 32 else "")
        case "text":
            return "random_lower_string()"
        case "int":
            return "random.randrange(2**31)" if field.unique else "1"
        case "decimal":
            return f"Decimal({quoted(_number(field))})"
        case "bool":
            return _default(field)
        case "date":
            return "date(2026, 1, 31)"
        case "datetime":
            return "datetime(2026, 1, 31, tzinfo=UTC)"
    return quoted(field.values[0])


def _invalid(field: Field) -> list[str]:
    """Return invalid values, as Python source."""
    values = {
        "str": [f'"x" * {field.length + 1}', '"nul\\0"', "1"],
        "text": ['"x" * 10_001', '"nul\\0"', "1"],
        "int": [str(MAX_INTEGER + 1), '"x"', "1.5"],
        "decimal": [
            quoted(f"1.{'0' * field.places}1"),
            quoted("1" + "0" * (field.digits - field.places)),
            quoted("NaN"),
        ],
        "bool": ["None", '"x"'],
        "date": ['"2026-02-30"', '"31.01.2026"'],
        "datetime": ['"2026-01-31T10:30:00"', '"0001-01-01T00:00:00+01:00"'],
        "enum": [quoted("unknown_value"), "1"],
        "ref": ["0", '"x"'],
    }[field.type]
    if not field.nullable and field.type != "bool":
        values.append("None")
    if field.type == "str" and (field.required or field.unique):
        values.append('""')
    return values


def _length_of(field: Field) -> int:
    return field.length or 10_000


def _reader(target: str, every: Mapping[str, Resource]) -> str:
    """Return the function of the client that lists the rows a reference can have."""
    path = "users" if target == "user" else every[target].path
    plural = "users" if target == "user" else every[target].plural
    return f"{camel(path)}Read{camel(plural, upper=True)}"


def _reference_label(field: Field, every: Mapping[str, Resource]) -> str:
    if field.target == "user":
        return "email"
    title = every[field.target].title
    return title.name if title else "id"


def _empty(field: Field) -> str:
    """Return the value of the field in an empty form, as TypeScript."""
    if field.type == "bool":
        return field.default or "false"
    if field.default is not None:
        return _default(field) if field.type == "int" else quoted(field.default)
    return "''" if field.type in ("str", "text") and field.required else "null"


def _browser_value(field: Field) -> str:
    """Return the value that the API has after the browser test typed the sample, as TypeScript."""
    match field.type:
        case "datetime":
            return "new Date('2026-01-31T10:30').toISOString().replace('.000', '')"
        case "bool":
            return _sample(field).lower()
    return _sample(field)


def _browser_random(field: Field) -> str:
    if field.unique:
        return "randomInt(2 ** 31)" if field.type == "int" else f"randomUUID().slice(0, {field.length})"
    return _browser_value(field)
