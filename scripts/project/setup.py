"""Entry point of setup.sh: names the project, and makes its secrets."""

import argparse
import re
import secrets
import sys
from dataclasses import asdict
from pathlib import Path

# The modules that change files.
sys.path += [str(Path(__file__).resolve().parents[1] / folder) for folder in ("native", "resource")]

import names
from git import git, succeeds
from names import Names
from settings import ROOT, write_private
from workspace import Invalid, copied, has_database

SECRETS = ROOT / ".env.production"
CHANGELOG = """# Changelog

What users of {name} notice, newest first.

## Unreleased
"""
FIELDS = {
    "name": ("Name of the project", names.check_name),
    "slug": ("Name of the stack and its images", names.check_slug),
    "domain": ("Domain of production (it can be changed later)", names.check_domain),
    "email": ("Email of the first administrator", names.check_email),
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="setup.sh",
        description="Name the project, and make the secrets of production. Asks for what you do not name. Run again, "
        "it changes only what you name.",
    )
    parser.add_argument("--name", help='the name that users see: "My shop"')
    parser.add_argument("--slug", help="the name of the stack and its images; derived from the name: my-shop")
    parser.add_argument("--domain", help="the domain of production: shop.example.org")
    parser.add_argument("--email", help="the email of the first administrator")
    options = parser.parse_args(arguments)
    given = {field: value for field, value in vars(options).items() if value is not None}
    try:
        setup(given)
    except Invalid as error:
        raise SystemExit(f"setup.sh: {error}") from None


def setup(given: dict[str, str]) -> None:
    old, template = names.read(ROOT)
    new = _change(old, given) if template else _choose(given)
    content, added = _add_secrets()
    with copied(ROOT) as copy:
        missing = names.rename(copy, old, new)
        if not template:
            template = _origin()
            copy.write("CHANGELOG.md", CHANGELOG.format(name=new.name))
            copy.remove("VERSION")
        copy.write(names.RECORD, names.record(new, template))
        changes = list(copy.apply())
    if added:
        # The file may be a link.
        write_private(SECRETS.resolve(), content)
        changes.append(f"{SECRETS.name}: {', '.join(added)}")
    _report(old, new, changes, missing)


def _choose(given: dict[str, str]) -> Names:
    """Return the names of the first run: what is given, or else what the user enters. Raises Invalid."""

    def choose(field: str, default: str = "") -> str:
        value = given.get(field) or _ask(field, default)
        if value is None:
            raise Invalid(f"the {field} is missing: add --{field}.")
        return FIELDS[field][1](value)

    name = choose("name")
    slug = names.derive_slug(name)
    if "slug" in given or "name" not in given or not slug:
        slug = choose("slug", slug)
    domain = choose("domain")
    return Names(name, slug, domain, choose("email", f"admin@{domain}"))


def _change(old: Names, given: dict[str, str]) -> Names:
    """Return the names of a later run: what is given, or else what the user enters. Raises Invalid."""
    values = {**asdict(old), **given}
    if not given:
        values |= {field: _ask(field, values[field]) or values[field] for field in FIELDS}
    return Names.create(**values)


def _ask(field: str, default: str) -> str | None:
    """Return what the user enters, until it is valid, or None if the input ends."""
    question, check = FIELDS[field]
    while True:
        try:
            text = input(f"{question}{f' [{default}]' if default else ''}: ")
            return check(text or default)
        except Invalid as error:
            print(error)
        except EOFError:
            print()
            return None


def _origin() -> dict[str, str]:
    """Return where this version of the template comes from. Raises Invalid."""
    try:
        version = (ROOT / "VERSION").read_text().strip()
    except OSError:
        raise Invalid("the file VERSION is missing: restore it from git.") from None
    try:
        is_repository = Path(git("rev-parse", "--show-toplevel")).samefile(ROOT)
        origin = git("remote", "get-url", "origin") if is_repository else ""
    except Invalid:
        # Without git, without a repository, or without a remote repository.
        origin = ""
    return {"version": version, "origin": origin}


def _add_secrets() -> tuple[str, list[str]]:
    """Return the content of .env.production, with a random value for each "changethis" in .env, and the added names.

    Raises Invalid.
    """
    if succeeds("rev-parse", "--is-inside-work-tree") and not succeeds("check-ignore", "--quiet", SECRETS.name):
        raise Invalid(f"git does not ignore {SECRETS.name}: add it to .gitignore, because it will contain secrets.")
    try:
        content = SECRETS.read_text() if SECRETS.exists() else ""
        defaults = re.findall(r"^(\w+)=(.*)changethis$", (ROOT / ".env").read_text(), re.MULTILINE)
    except (OSError, ValueError) as error:
        raise Invalid(f".env or {SECRETS.name} can't be read: {error}.") from None
    if content and not content.endswith("\n"):
        content += "\n"
    missing = {name: prefix for name, prefix in defaults if not re.search(rf"^{name}=", content, re.MULTILINE)}
    added = [f"{name}={prefix}{secrets.token_hex(32)}\n" for name, prefix in missing.items()]
    return "".join([content, *added]), list(missing)


def _report(old: Names, new: Names, changed: list[str], missing: list[str]) -> None:
    if not changed:
        print("Nothing to change.")
        return
    print("Changed:", *changed, sep="\n  ")
    if missing:
        print("Not found, because you have changed these places; change them yourself:", *missing, sep="\n  ")
    print(f"The project is {new.name} ({new.slug}) at {new.domain}.")
    if old.name != new.name and old.slug == new.slug:
        print("The slug is unchanged, because a deployed stack has this name. To change it, add --slug.")
    if old.email != new.email and has_database(if_unknown=False):
        print(
            f"The existing database keeps the administrator {old.email}. Change this user's email in the web app, "
            "or delete the database: sh ./scripts/native.sh down -v, or docker-compose down -v."
        )
    print("Next: read git diff, and commit.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
