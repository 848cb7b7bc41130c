"""The entries of a resource in files that all resources share."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from definition import Resource
from fields import camel, sentence
from workspace import Folder, Invalid

APP = "backend/app/app"
MODELS = f"{APP}/db/base.py"
ROUTERS = f"{APP}/api/api_v1/api.py"
# Modules that export the names of Item, as in the original template.
EXPORTS = [f"{APP}/{layer}/__init__.py" for layer in ("crud", "models", "schemas")]
WORKER = f"{APP}/worker.py"
SHARED = [MODELS, ROUTERS, WORKER, *EXPORTS]
LOCALES = {"en": "frontend/src/locales/en.json", "ru": "frontend/src/locales/ru.json"}
# Marks a text that nobody has translated. The lint of the web app lists these texts.
TODO = "TODO: "

IMPORT = re.compile(r"from app\.api\.api_v1\.endpoints import (\([^)]*\)|.*)")
ROUTER_LIST = re.compile(r"api_routers = \[([^\]]*)\]")


def add(copy: Folder, resource: Resource) -> None:
    _edit_models(copy, lambda lines: [*lines, _import_line(resource)])
    _edit_routers(copy, lambda names: [*names, resource.plural])
    if resource.csv:
        add_jobs(copy, resource)
    add_texts(copy, resource)


def remove(copy: Folder, resource: Resource, others: Iterable[Resource]) -> None:
    """Remove the entries, except the texts that other views need. The views are already removed."""
    _edit_models(copy, lambda lines: [line for line in lines if line != _import_line(resource)])
    _edit_routers(copy, lambda names: [name for name in names if name != resource.plural])
    _remove_jobs(copy, resource)
    for path in EXPORTS:
        _remove_exports(copy, path, resource)
    needed = {path for other in others for path in texts_of(other)}
    files = [*(copy.folder / "frontend/src").rglob("*.vue"), *(copy.folder / "frontend/src").rglob("*.ts")]
    sources = "".join(file.read_text() for file in files if "/src/client/" not in str(file))
    for language in LOCALES:
        texts = _read_texts(copy, language)
        for keys in texts_of(resource).keys() - needed:
            is_label_in_use = keys[0] == "field" and re.search(rf"""["']{keys[1]}["']|field\.{keys[1]}\b""", sources)
            if not is_label_in_use:
                _remove_text(texts, keys)
        _write_texts(copy, language, texts)


def _import_line(resource: Resource) -> str:
    return f"from app.models.{resource.name} import {resource.class_name}"


def _edit_models(copy: Folder, change: Callable[[list[str]], list[str]]) -> None:
    lines = copy.read(MODELS).rstrip("\n").split("\n")
    copy.write(MODELS, "\n".join(change(lines)) + "\n")


def _edit_routers(copy: Folder, change: Callable[[list[str]], list[str]]) -> None:
    text = copy.read(ROUTERS)
    modules, routers = IMPORT.search(text), ROUTER_LIST.search(text)
    if not modules or not routers:
        raise Invalid(f"{ROUTERS}: the import of the endpoints or the list api_routers was not found.")
    imported = change(re.findall(r"\w+", modules[1]))
    listed = change(re.findall(r"(\w+)\.router", routers[1]))
    text = text.replace(modules[0], f"from app.api.api_v1.endpoints import {', '.join(imported)}")
    entries = ", ".join(f"{name}.router" for name in listed)
    copy.write(ROUTERS, text.replace(routers[0], f"api_routers = [{entries}]"))


def add_jobs(copy: Folder, resource: Resource) -> None:
    """Add the jobs of imports and exports, and what they import."""
    name, plural, query = resource.name, resource.plural, f"{resource.class_name}Query"
    imports = f"from app.crud.crud_{name} import {name} as crud_{name}\nfrom app.schemas.{name} import {query}\n"
    text = copy.read(WORKER).replace("from app.csv_files import", f"{imports}from app.csv_files import", 1)
    jobs = f'import_{plural}, export_{plural} = csv_jobs("{plural}", crud_{name}, {query})\n'
    copy.write(WORKER, text + jobs)


def _remove_jobs(copy: Folder, resource: Resource) -> None:
    name, plural = resource.name, resource.plural
    text = copy.read(WORKER)
    text = re.sub(rf"^import_{plural}, export_{plural} = csv_jobs\([^)]*\)\n", "", text, flags=re.MULTILINE)
    text = re.sub(rf"^from app\.(crud\.crud_|schemas\.){name} import .*\n", "", text, flags=re.MULTILINE)
    copy.write(WORKER, text)


def _remove_exports(copy: Folder, path: str, resource: Resource) -> None:
    text = copy.read(path)
    pattern = rf"^from app\.\w+\.(?:crud_)?{resource.name} import (.*)\n"
    for names in re.findall(pattern, text, re.MULTILINE):
        for name in re.findall(r"\w+", names):
            text = re.sub(rf'"{name}",?\s*', "", text, count=1)
    copy.write(path, re.sub(pattern, "", text, flags=re.MULTILINE))


def texts_of(resource: Resource) -> dict[tuple[str, ...], str]:
    """Return the English texts of a resource by their paths in the locales."""
    words, plural = resource.names["words"], resource.names["plural_words"]
    own = {
        "all": sentence(plural),
        "create": f"Create {words}",
        "created": f"{sentence(words)} created",
        "deleted": f"{sentence(words)} deleted",
        "edit": f"Edit {words}",
        "empty": f"No {plural} yet",
        "saved": f"{sentence(words)} saved",
        "search": f"Search {plural}",
        "subtitle": f"{sentence(plural)} of all users" if resource.shared else f"Your {plural}",
    }
    texts: dict[tuple[str, ...], str] = {(camel(resource.name), key): text for key, text in own.items()}
    if resource.csv:
        texts |= {
            ("option", "kind", f"{verb}_{resource.plural}"): f"{verb.capitalize()} {plural}"
            for verb in ("import", "export")
        }
    for field in resource.fields:
        # The list shows a reference under its name, the form under its column.
        texts |= {("field", name): field.label for name in {field.name, field.column}}
        texts |= {("option", field.name, value): sentence(value) for value in field.values}
    return texts


def add_texts(copy: Folder, resource: Resource) -> None:
    """Add the texts that are missing."""
    for language in LOCALES:
        texts = _read_texts(copy, language)
        for (*sections, key), text in texts_of(resource).items():
            place = texts
            for section in sections:
                place = place.setdefault(section, {})
            place.setdefault(key, text if language == "en" else TODO + text)
        _write_texts(copy, language, texts)


def labels(copy: Folder) -> dict[str, str]:
    """Return the English labels of columns: they may have been edited."""
    return dict(_read_texts(copy, "en")["field"])


def _remove_text(texts: dict[str, Any], path: tuple[str, ...]) -> None:
    """Remove a text, and the sections that are empty then."""
    section, *rest = path
    if rest and section in texts:
        _remove_text(texts[section], tuple(rest))
    if not rest or not texts.get(section, True):
        texts.pop(section, None)


def _read_texts(copy: Folder, language: str) -> dict[str, Any]:
    return dict(json.loads(copy.read(LOCALES[language])))


def _write_texts(copy: Folder, language: str, texts: dict[str, Any]) -> None:
    def ordered(value: Any) -> Any:
        return {key: ordered(value[key]) for key in sorted(value)} if isinstance(value, dict) else value

    copy.write(LOCALES[language], json.dumps(ordered(texts), indent=2, ensure_ascii=False) + "\n")
