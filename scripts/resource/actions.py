"""What resource.sh and remove-resource.sh do."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import definition
import generated
import registration
import supervise
from definition import DEFINITIONS, Resource
from render import FILES, existing_paths, paths, render, template_names
from settings import ROOT
from workspace import Copy, Folder, Invalid, copied, ensure_committed, has_database, is_committed

TRANSLATE = "translate the texts that start with TODO in frontend/src/locales/ru.json"


def generate(name: str, specs: list[str], *, plural: str | None, shared: bool, csv: bool, force: bool) -> None:
    resource = definition.create(name, specs, plural=plural, shared=shared, csv=csv)
    others = definition.read_all(ROOT)
    check_new(resource, others)
    check_references(resource, others)
    if not force:
        ensure_committed(ROOT)
    with copied(ROOT) as copy:
        write(copy, render(resource, others, registration.labels(copy)))
        copy.write(f"{DEFINITIONS}/{name}.json", resource.definition())
        registration.add(copy, resource)
        revision = _finish(copy, resource, f"Add {name}")
        _apply(copy)
    _migrate("upgrade", "head")
    _report(f"The resource {name} is generated.", revision, TRANSLATE)


def add(name: str, specs: list[str], *, csv: bool, force: bool) -> None:
    """Add fields, or imports and exports."""
    others = definition.read_all(ROOT)
    old = _find(name, others)
    if not specs and (old.csv or not csv):
        raise Invalid("name the fields to add: --add phone:str:32.")
    new = replace(definition.add_fields(old, specs), csv=old.csv or csv)
    check_references(new, others)
    if not force:
        ensure_committed(ROOT)
    with copied(ROOT) as copy:
        missing = [path for path in paths(new) if not (copy.folder / path).exists()]
        conflicts = _merge(copy, old, new, others)
        copy.write(f"{DEFINITIONS}/{name}.json", new.definition())
        registration.add_texts(copy, new)
        if new.csv and not old.csv:
            registration.add_jobs(copy, new)
        columns = ", ".join(each.column for each in new.fields[len(old.fields) :])
        # With conflict markers, the code can't run.
        revision = None if conflicts else _finish(copy, new, f"Add {columns} to {name}")
        _apply(copy)
    if conflicts:
        files = "\n".join(f"  {path}" for path in conflicts)
        raise Invalid(
            f"your changes and the new fields are in conflict in\n{files}\nEdit the lines between the markers "
            "<<<<<<< and >>>>>>>. Then make a revision (alembic revision --autogenerate), and generate the client "
            "(python scripts/export_openapi.py in backend/app, npm run generate-client in frontend)."
        )
    _migrate("upgrade", "head")
    moved = [f"add the fields to the code of {path}, which does not exist any more" for path in missing]
    what = "The fields" if specs else "Imports and exports"
    _report(f"{what} are added to {name}.", revision, *moved, TRANSLATE)


def remove(name: str, *, force: bool) -> None:
    others = definition.read_all(ROOT)
    resource = _find(name, others)
    del others[name]
    referring = [each.name for each in others.values() if any(field.target == name for field in each.references)]
    if referring:
        raise Invalid(f"resources that refer to {name}: {', '.join(referring)}. Remove them first.")
    if not force:
        ensure_committed(ROOT)
    unwanted = _uncommitted_revision(resource)
    with copied(ROOT) as copy:
        definition_file = f"{DEFINITIONS}/{name}.json"
        for path in (*existing_paths(resource, ROOT), definition_file, *([unwanted] if unwanted else [])):
            copy.remove(path)
        registration.remove(copy, resource, others.values())
        revision = _finish(copy, resource, f"Remove {name}")
        if unwanted:
            _migrate("downgrade", _previous_revision(unwanted))
        _apply(copy)
    _migrate("upgrade", "head")
    _report(f"The resource {name} is removed.", revision)


def _find(name: str, resources: Mapping[str, Resource]) -> Resource:
    if name not in resources:
        known = ", ".join(resources) or "none"
        raise Invalid(f"{name} is not a generated resource. Generated resources: {known}.")
    return resources[name]


def check_new(resource: Resource, others: Mapping[str, Resource]) -> None:
    for other in others.values():
        if resource.name == other.name:
            raise Invalid(
                f"resource {resource.name}: exists already. To add fields: resource.sh {resource.name} --add."
            )
        if {resource.plural, resource.name} & {other.plural, other.name}:
            raise Invalid(f"resource {resource.name}: the resource {other.name} has the same names.")
    if len(paths(resource)) < len(FILES):
        raise Invalid(f"resource {resource.name}: two files would have the same name. Choose another plural.")
    classes = {resource.class_name, f"{resource.class_name}Create", f"{resource.class_name}Update"}
    schemas = json.loads((ROOT / "frontend/openapi.json").read_text())["components"]["schemas"]
    if taken := classes & {*schemas, *template_names()}:
        hint = f"Choose another, such as {resource.name}_record."
        raise Invalid(f"resource {resource.name}: the name {taken.pop()} is taken. {hint}")
    for path in (*paths(resource), f"frontend/src/views/main/{resource.path}"):
        if (ROOT / path).exists():
            raise Invalid(f"resource {resource.name}: {path} exists already. Choose another name.")


def check_references(resource: Resource, others: Mapping[str, Resource]) -> None:
    """Raises Invalid."""
    known = {**others, resource.name: resource}
    for field in resource.references:
        if field.target == "user":
            continue
        if field.target not in known:
            names = ", ".join([*others, "user"])
            raise Invalid(f"field {field.name}: there is no resource {field.target}. There are {names}.")
        if known[field.target].title is None:
            raise Invalid(
                f"field {field.name}: {field.target} has no field to show, such as title:str:255:required. "
                "References need one."
            )
        if field.target != resource.name and resource.name in _reachable(field.target, others):
            raise Invalid(f"field {field.name}: {field.target} already refers to {resource.name}.")


def _reachable(name: str, known: Mapping[str, Resource]) -> set[str]:
    """Return the resources that a resource refers to, directly or not. References form no circle."""
    direct = {each.target for each in known[name].references} - {"user", name}
    return direct | {further for each in direct for further in _reachable(each, known)}


def write(copy: Folder, files: Mapping[str, str]) -> None:
    for path, content in files.items():
        copy.write(path, content)
    generated.format_files(copy, files)


def _merge(copy: Copy, old: Resource, new: Resource, others: Mapping[str, Resource]) -> list[str]:
    """Apply the difference between the two generations to the files of the copy. Return those with conflicts."""
    mine = {path: copy.read(path) for path in paths(new) if (copy.folder / path).exists()}
    generations = []
    for resource in (old, new):
        write(copy, render(resource, others, registration.labels(copy)))
        generations.append({path: copy.read(path) for path in paths(new)})
    conflicts = []
    for path in paths(new):
        # A file that the user has removed or renamed stays away.
        copy.remove(path)
        if path in mine:
            merged, has_conflict = _merge_texts(mine[path], *(each[path] for each in generations))
            copy.write(path, merged)
            conflicts += [path] if has_conflict else []
    return conflicts


def _merge_texts(mine: str, before: str, after: str) -> tuple[str, bool]:
    """Return the merged text, and whether it contains conflict markers."""
    with tempfile.TemporaryDirectory() as folder:
        sides = {"yours": mine, "before": before, "generated": after}
        for name, text in sides.items():
            (Path(folder) / name).write_text(text)
        labels = [option for name in sides for option in ("-L", name)]
        command = ["git", "merge-file", "--stdout", *labels, *sides]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    # The status is the number of conflicts, or more for an error.
    if not 0 <= done.returncode <= 127:
        raise Invalid(f"the files can't be merged: {done.stderr.strip()}")
    return done.stdout, done.returncode > 0


def _finish(copy: Copy, resource: Resource, message: str) -> str | None:
    """Generate the client and the revision. Return the path of the revision."""
    generated.format_files(copy, [*paths(resource), *registration.SHARED])
    generated.make_client(copy)
    return generated.make_revision(copy, message)


def _apply(copy: Copy) -> None:
    for path, content in copy.apply().items():
        print(f"  {'-' if content is None else '+'} {path}")


def _uncommitted_revision(resource: Resource) -> str | None:
    """Return the newest revision if it creates the table of the resource, and was never committed."""
    versions = ROOT / generated.VERSIONS
    texts = {str(file.relative_to(ROOT)): file.read_text() for file in versions.glob("*.py")}
    found = [path for path, text in texts.items() if f'op.create_table(\n        "{resource.name}"' in text]
    if len(found) != 1 or is_committed(ROOT, found[0]):
        return None
    identifier = Path(found[0]).name.partition("_")[0]
    is_newest = not any(
        f'down_revision: str | Sequence[str] | None = "{identifier}"' in text for text in texts.values()
    )
    # A stopped database may be at this revision. Then a further revision drops the table.
    is_safe = _exec_in_stack() is not None or not has_database(if_unknown=True)
    return found[0] if is_newest and is_safe else None


def _previous_revision(path: str) -> str:
    (found,) = re.findall(r'^down_revision: .* = "(\w+)"', (ROOT / path).read_text(), re.MULTILINE)
    return str(found)


def _exec_in_stack() -> list[str] | None:
    """Return the command that runs a program in the backend of the running stack, or None if no stack is running."""
    if supervise.pid() is not None and supervise.states()["backend"]["statename"] in supervise.UP:
        return ["sh", "scripts/native.sh", "exec", "backend"]
    for compose in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(compose[0]):
            command = [*compose, "ps", "--quiet", "--status", "running", "backend"]
            if subprocess.run(command, cwd=ROOT, capture_output=True, check=False).stdout:
                return [*compose, "exec", "-T", "backend"]
    return None


def _migrate(*arguments: str) -> None:
    """Migrate the database of the running stack, if there is one."""
    prefix = _exec_in_stack()
    if prefix is None:
        return
    command = [*prefix, "alembic", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        output = f"{done.stdout}{done.stderr}".strip()
        raise Invalid(
            f"the files are changed, but the database is not. Fix the cause, then run {' '.join(command)}.\n{output}"
        )
    print(f"The database of the running stack is migrated: alembic {' '.join(arguments)}")


def _report(done: str, revision: str | None, *steps: str) -> None:
    print(f"\n{done} Next:")
    read = [f"read {revision}"] if revision else []
    for step in (*read, *steps, "run the tests: sh ./scripts/native.sh test", "commit the changes"):
        print(f"  - {step}")
