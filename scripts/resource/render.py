"""Renders the files of a resource from the templates."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from definition import Resource
from fields import Field, camel, sentence

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

TYPES: dict[str, dict[str, Any]] = tomllib.loads((TEMPLATES / "types.toml").read_text())


# The files of a resource, with their templates.
FILES = {
    "backend/app/app/models/{name}.py": "backend/model.py",
    "backend/app/app/schemas/{name}.py": "backend/schemas.py",
    "backend/app/app/crud/crud_{name}.py": "backend/crud.py",
    "backend/app/app/api/api_v1/endpoints/{plural}.py": "backend/endpoints.py",
    "backend/app/app/tests/utils/{name}.py": "backend/test_utils.py",
    "backend/app/app/tests/crud/test_{name}.py": "backend/test_crud.py",
    "backend/app/app/tests/api/api_v1/test_{plural}.py": "backend/test_api.py",
    "frontend/src/views/main/{path}/{classes}.vue": "frontend/list.vue",
    "frontend/src/views/main/{path}/{class_name}Form.vue": "frontend/form.vue",
    "frontend/src/views/main/{path}/routes.ts": "frontend/routes.ts",
    "frontend/tests/e2e/records/{path}.ts": "frontend/record.ts",
    "frontend/tests/e2e/{path}.spec.ts": "frontend/browser_test.ts",
}


def paths(resource: Resource) -> dict[str, str]:
    """Return the files of a resource, with their templates."""
    return {path.format_map(resource.names): template for path, template in FILES.items()}


def existing_paths(resource: Resource, root: Path) -> list[str]:
    """Return the files of a resource in the project, with further browser tests such as items.undo.spec.ts."""
    tests = (root / "frontend/tests/e2e").glob(f"{resource.path}.*.spec.ts")
    further = [str(file.relative_to(root)) for file in sorted(tests)]
    return [path for path in (*paths(resource), *further) if (root / path).exists()]


def template_names() -> set[str]:
    """Return the names of classes and components in the templates."""
    texts = (file.read_text() for file in TEMPLATES.glob("*/*.jinja"))
    return {name for text in texts for name in re.findall(r"\b[A-Z]\w+", text)}


def render(resource: Resource, others: Mapping[str, Resource], labels: Mapping[str, str]) -> dict[str, str]:
    """Return the content of each file.

    `others` has the resources that this one refers to, and `labels` the texts of columns in the web app.
    """
    context = _context(resource, others)
    context["label"] = lambda field: labels.get(field.column, field.label)
    return {
        path: ENVIRONMENT.get_template(f"{template}.jinja").render(context)
        for path, template in paths(resource).items()
    }


def _context(resource: Resource, others: Mapping[str, Resource]) -> dict[str, Any]:
    references = resource.references
    every = {**others, resource.name: resource}
    targets = sorted({each.target for each in references})
    return {
        **resource.names,
        "shared": resource.shared,
        "csv": resource.csv,
        "fields": resource.fields,
        "title": resource.title,
        "references": references,
        "targets": targets,
        # The resources that this one refers to, without users and itself.
        "related": [every[target] for target in targets if target not in ("user", resource.name)],
        "required": [each for each in resource.fields if each.required and each.type != "bool"],
        "required_references": [each for each in references if each.required],
        "texts": [each for each in resource.fields if each.type in ("str", "text")],
        "code": _code,
        "invalid": lambda field: list(filter(None, (_source(each, field) for each in TYPES[field.type]["invalid"]))),
        "is_shared": lambda target: target != "user" and every[target].shared,
        "reader": lambda field: _reader(field.target, every),
        "label_of": lambda field: _label(field.target, every),
        "quoted": quoted,
        "camel": camel,
        "sentence": sentence,
        "article": lambda words: f"{'an' if words[0] in 'aeiou' else 'a'} {words}",
    }


def _code(field: Field, kind: str) -> str:
    """Return the source code of this kind for the field."""
    return _source(TYPES[field.type].get(kind, ""), field)


def _source(template: str, field: Field) -> str:
    return ENVIRONMENT.from_string(template).render(field=field, quoted=quoted)


def quoted(text: str) -> str:
    """Return a literal that is valid in Python and in TypeScript."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _reader(target: str, every: Mapping[str, Resource]) -> str:
    """Return the function of the client that lists the rows a reference can have."""
    if target == "user":
        return "usersReadUsers"
    return f"{camel(every[target].path)}Read{camel(every[target].plural, upper=True)}"


def _label(target: str, every: Mapping[str, Resource]) -> str:
    """Return the column that names a row of the target."""
    title = None if target == "user" else every[target].title
    return title.name if title else "email"
