"""The rules for new passwords."""

from functools import cache
from pathlib import Path
from typing import Literal
from unicodedata import category, normalize

DEFAULT_SECRET = "changethis"  # noqa: S105  # published, so it is valid in development only

COMMON_PASSWORDS = Path(__file__).with_name("common_passwords.txt")

Weakness = Literal["password_too_common", "password_is_email", "password_is_project_name"]

MESSAGES: dict[Weakness, str] = {
    "password_too_common": "This password is too common.",
    "password_is_email": "The password must not be the email address.",
    "password_is_project_name": "The password must not be the name of this site.",
}


def normalise(password: str) -> str:
    """Return the password in NFKC, because systems encode the same character differently."""
    return normalize("NFKC", password)


def weakness(password: str, *, email: str, project_name: str) -> Weakness | None:
    """Return the reason why a new password is easy to guess, or None if it is not."""
    password, email, project_name = map(_fold, (password, email, project_name))
    if password in common_passwords() or password == DEFAULT_SECRET or len(set(password)) < 2:
        return "password_too_common"
    if password in (email, email.rpartition("@")[0]):
        return "password_is_email"
    if (name := _alphanumeric(project_name)) and _alphanumeric(password) == name:
        return "password_is_project_name"
    return None


@cache
def common_passwords() -> frozenset[str]:
    lines = COMMON_PASSWORDS.read_text().splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _fold(text: str) -> str:
    """Return the text in folded case, without surrounding spaces and invisible characters."""
    visible = (each for each in normalise(text).casefold() if category(each) != "Cf")
    return "".join(visible).strip()


def _alphanumeric(text: str) -> str:
    return "".join(each for each in text if each.isalnum())
