"""The names of the project: their rules, the file that records them, and the places where they are written."""

import json
import re
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from workspace import Folder, Invalid

RECORD = "scripts/project/names.json"
MAX_NAME = 60
# Docker secrets have at most 64 characters: the slug, an underscore and postgres_superuser_password.
MAX_SLUG = 35
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# Email addresses at these domains are rejected by the backend (RFC 6761 and others).
PRIVATE = {"arpa", "invalid", "local", "localhost", "onion", "test"}

# The places of the names in each file.
PLACES = {
    ".env": [
        "STACK_NAME={slug}\n",
        "TRAEFIK_TAG={slug}\n",
        "PROJECT_NAME={quoted_name}\n",
        "FIRST_SUPERUSER={email}\n",
        "EMAILS_FROM_EMAIL=info@{domain}\n",
        "PGADMIN_DEFAULT_EMAIL={email}\n",
    ],
    ".gitlab-ci.yml": [
        'STACK_NAME: "{slug}"',
        'STACK_NAME: "{slug}-stag"',
        'TRAEFIK_TAG: "{slug}"',
        'TRAEFIK_TAG: "{slug}-stag"',
    ],
    "README.md": ["# {name}\n", "{email}"],
    "backend/app/app/core/config.py": ['PROJECT_NAME: str = "{name}"\n'],
    "backend/app/pyproject.toml": ['name = "{slug}-backend"\n'],
    "docs/deployment.md": ["STACK_NAME={slug} TRAEFIK_TAG={slug}", "{domain}", "{email}"],
    "docs/development.md": ["{domain}"],
    "docs/make-it-yours.md": ["DOMAIN={domain} STACK_NAME={slug} TRAEFIK_TAG={slug}"],
    "frontend/.env": [
        "VUE_APP_DOMAIN_STAG=stag.{domain}\n",
        "VUE_APP_DOMAIN_PROD={domain}\n",
        "VUE_APP_NAME={quoted_name}\n",
    ],
    "frontend/package-lock.json": ['"name": "{slug}-frontend"'],
    "frontend/package.json": ['"name": "{slug}-frontend"'],
}


@dataclass(frozen=True)
class Names:
    """The names of a project. All of them are valid."""

    name: str
    slug: str
    domain: str
    email: str

    @classmethod
    def create(cls, name: str, slug: str, domain: str, email: str) -> Self:
        """Raises Invalid."""
        return cls(check_name(name), check_slug(slug), check_domain(domain), check_email(email))

    def fill(self, place: str) -> str:
        # Every program that reads .env accepts double quotes, within which an apostrophe has no meaning.
        quoted = self.name if re.fullmatch(r"[\w .-]+", self.name) else f'"{self.name}"'
        return place.format(**asdict(self), quoted_name=quoted)


def check_name(text: str) -> str:
    """Return the name of a project. Raises Invalid."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise Invalid("the name is empty.")
    if len(name) > MAX_NAME:
        raise Invalid(f"the name has {len(name)} characters: use at most {MAX_NAME}.")
    # The name is written into HTML, .env files, Python and the shell.
    if not name.isprintable() or re.search(r'["<>\\`$]|&(?! )', name):
        raise Invalid('the name must not contain " < > \\ ` $, invisible characters, or & before a letter.')
    return name


def check_slug(text: str) -> str:
    """Return the name of a stack and its images. Raises Invalid."""
    if len(text) > MAX_SLUG or not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", text):
        raise Invalid(
            f"the slug {text[:80]!r} is not valid: use at most {MAX_SLUG} lower-case letters, digits and hyphens, "
            "such as my-shop."
        )
    return text


def derive_slug(name: str) -> str:
    """Return the name in ASCII, or a blank string if that is not a slug: "Müller's Shop" becomes "mullers-shop"."""
    ascii_name = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name.replace("'", ""))[:MAX_SLUG].strip("-")
    return slug if slug[:1].isalpha() else ""


def check_domain(text: str) -> str:
    """Return a domain in lower case. Raises Invalid."""
    domain = text.strip().lower()
    *parents, last = domain.split(".")
    is_valid = parents and len(domain) <= 253 - len("pgadmin.stag.") and re.fullmatch(r"[a-z][a-z0-9-]*", last)
    if not is_valid or not all(re.fullmatch(LABEL, label, re.ASCII) for label in domain.split(".")):
        hint = " (xn--… for letters outside ASCII)" if not domain.isascii() else ""
        raise Invalid(f"the domain {text[:80]!r} is not valid: enter one such as shop.example.org{hint}.")
    if last in PRIVATE:
        raise Invalid(f"the domain {domain} is not public: mail to it can't be delivered. Enter the public domain.")
    return domain


def check_email(text: str) -> str:
    """Return an address in lower case. Raises Invalid."""
    email = text.strip().lower()
    local, _, domain = email.rpartition("@")
    is_valid = len(email) <= 254 and len(local) <= 64 and re.fullmatch(r"[a-z0-9_+-]+(\.[a-z0-9_+-]+)*", local)
    if not is_valid:
        raise Invalid(f"the email {text[:80]!r} is not valid: enter one such as admin@shop.example.org.")
    check_domain(domain)
    return email


def read(root: Path) -> tuple[Names, dict[str, str]]:
    """Return the recorded names, and the record of the template: version, origin and commit.

    The record is empty before the first setup. The origin may be blank, and the commit may be missing. Raises Invalid.
    """
    try:
        content = json.loads((root / RECORD).read_text())
        template = content.pop("template", {})
        if template:
            template = {"version": template["version"], "origin": "", **template}
        return Names.create(**content), {key: str(template[key]) for key in template}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, Invalid) as error:
        raise Invalid(f"{RECORD} can't be read: restore it from git.") from error


def record(names: Names, template: dict[str, str]) -> str:
    """Return the content of the file that records the names."""
    # The file is public, and a URL may contain a token.
    origin = re.sub(r"^(https?://)[^/@]*@", r"\1", template["origin"])
    content = {**asdict(names), "template": {**template, "origin": origin}}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def rename(copy: Folder, old: Names, new: Names) -> list[str]:
    """Replace the old names. Return the places that were not found, because the user has changed them."""
    missing = []
    for path, places in PLACES.items():
        changes = {old.fill(place): new.fill(place) for place in places}
        changed = [each for each in changes if changes[each] != each]
        if not changed or not (copy.folder / path).exists():
            continue
        text = copy.read(path)
        missing += [f"{path}: {each.strip()}" for each in changed if each not in text]
        copy.write(path, _replace(text, changes))
    return missing


def _replace(text: str, changes: dict[str, str]) -> str:
    # In one pass, because a new name may contain an old one.
    found = "|".join(_pattern(each) for each in changes)
    return re.sub(found, lambda match: changes[match[0]], text)


def _pattern(place: str) -> str:
    """Return a regular expression that does not match within a longer word."""
    return r"(?<![\w-])" + re.escape(place) + ("" if place.endswith("\n") else r"(?![\w-])")
