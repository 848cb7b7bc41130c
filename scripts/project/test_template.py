"""How a version of the template gets the names and resources of a project."""

import json
from pathlib import Path
from typing import Any

import pytest

import names
import template
from clone import Clone
from names import Names

PROJECT = Names.create("My shop", "my-shop", "shop.example.org", "me@example.net")


def definition(name: str, *fields: str) -> dict[str, Any]:
    return {"name": name, "plural": f"{name}s", "shared": False, "fields": list(fields)}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without files."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.setattr(template, "ROOT", folder)
    write(folder, template.ROUTERS, "api_routers = [zebras.router, apples.router]\n")
    return folder


def write(folder: Path, path: str, text: str) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def define(folder: Path, *definitions: dict[str, Any]) -> None:
    for each in definitions:
        write(folder, f"{template.DEFINITIONS}/{each['name']}.json", json.dumps(each))


def test_own_and_removed_resources_are_found(project: Path, tmp_path: Path) -> None:
    apple, zebra = definition("apple", "name:str:9"), definition("zebra", "name:str:9")
    define(tmp_path / "tree", definition("item", "title:str:9"), definition("order", "title:str:9"))
    define(project, apple, zebra, definition("item", "title:str:9", "added:int"))
    assert template.resource_changes(tmp_path / "tree") == {"remove": ["order"], "add": [zebra, apple]}


def test_another_resource_of_the_same_name_replaces_that_of_the_template(project: Path, tmp_path: Path) -> None:
    item = definition("item", "name:str:9")
    define(tmp_path / "tree", definition("item", "title:str:9"))
    define(project, item)
    assert template.resource_changes(tmp_path / "tree") == {"remove": ["item"], "add": [item]}


def test_version_gets_names_and_resources(tmp_path: Path) -> None:
    """One resource refers to a later one, and one has the name of the template's."""
    tree = Clone(tmp_path / "tree")
    required = "name:str:20:required"
    added = [
        definition("apple", required, "zebra:ref:zebra"),
        definition("zebra", required),
        definition("item", required),
    ]
    template.prepare(tree.folder, PROJECT, {"remove": ["item"], "add": added})
    assert names.read(tree.folder)[0] == PROJECT
    assert 'ForeignKey("zebra.id"' in tree.read("backend/app/app/models/apple.py")
    assert "title" not in tree.read("backend/app/app/schemas/item.py")
    routers = tree.read(template.ROUTERS)
    assert [routers.count(f"{name}s.router") for name in ("apple", "zebra", "item")] == [1, 1, 1]
    # The links to the project's packages are removed.
    assert "node_modules" not in tree.run("git status --porcelain --untracked-files=all")
    assert not (tree.folder / ".native").is_symlink()


def test_failing_script_of_the_template_is_named(tmp_path: Path) -> None:
    tree = Clone(tmp_path / "tree")
    (tree.folder / names.RECORD).write_text("{")
    with pytest.raises(template.Invalid, match=r"setup\.py of the template failed:\n.*names\.json can't be read"):
        template.prepare(tree.folder, PROJECT, {"remove": [], "add": []})


def test_lock_files_are_locked_again_only_if_both_sides_changed_them(project: Path, tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    # The project, the old version and the new version of each lock file.
    sides = {
        "both/poetry.lock": ("mine", "old", "new"),
        "both/package-lock.json": ("mine", "old", "new"),
        "template/poetry.lock": ("old", "old", "new"),
        "project/poetry.lock": ("mine", "old", "old"),
        "same/poetry.lock": ("new", "old", "new"),
    }
    for path, texts in sides.items():
        for folder, text in zip((project, before, after), texts, strict=True):
            write(folder, path, text)
    write(before, "removed/poetry.lock", "old")
    write(after, "removed/poetry.lock", "new")
    assert template.align(before, after) == ["both/poetry.lock", "both/package-lock.json"]
    # The merge takes the template's side.
    assert (before / "both/poetry.lock").read_text() == "mine"
    assert (before / "removed/poetry.lock").read_text() == "old"


def test_project_keeps_its_changelog_and_generated_files(project: Path, tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    for folder, text in ((project, "mine"), (before, "old"), (after, "new")):
        write(folder, "CHANGELOG.md", text)
        write(folder, "frontend/src/client/sdk.gen.ts", text)
    write(after, "frontend/src/client/added.ts", "new")
    template.align(before, after)
    for folder in (before, after):
        assert (folder / "CHANGELOG.md").read_text() == "mine"
        assert [each.name for each in (folder / "frontend/src/client").iterdir()] == ["sdk.gen.ts"]


CHANGELOG = """# Changelog

## Unreleased

### Upgrade

- First.

#### Details

- Second.

### Added

- A feature.

## 0.3.0

### Upgrade

- Third.

## 0.2.0

### Upgrade

- An old one.
"""


def test_upgrade_notes_are_those_of_newer_versions() -> None:
    assert template.upgrade_notes(CHANGELOG, "0.2.0") == "- First.\n\n#### Details\n\n- Second.\n- Third."
    assert template.upgrade_notes("", "0.2.0") == ""
