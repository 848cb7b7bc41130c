"""Finds secrets in logs, for the tests of the native stack and of the containers."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

# Password hashes, JSON web tokens, tokens in URLs.
FORMS = re.compile(r"\$argon2\w*\$|eyJ[\w-]{8,}\.[\w-]{8,}|\btoken=[\w%.-]{8,}")
# Shorter values occur by chance.
SHORTEST = 6
# Matches only the end of a name, because RESET_PASSWORD_HOURS, for example, is not secret.
SECRET_SETTING = re.compile(r"(^|_)(PASSWORD|SECRET_KEY|BASIC_AUTH)$")


def secret_values(settings: Mapping[str, str]) -> set[str]:
    """Return the values of the settings whose names mark them as secret."""
    return {
        value
        for name, value in settings.items()
        if SECRET_SETTING.search(name) and len(value) >= SHORTEST
    }


def find_secrets(text: str, secrets: Iterable[str]) -> list[str]:
    """Return a text like "line 3: abc…" for each secret, token or hash that a line contains."""
    found = []
    written = {form: secret for secret in secrets for form in _forms(secret)}
    for number, line in enumerate(text.splitlines(), 1):
        values = {secret for form, secret in written.items() if form in line}
        found += [f"line {number}: {_hint(each)}" for each in [*values, *FORMS.findall(line)]]
    return found


def _forms(secret: str) -> set[str]:
    """Return the forms in which programs write a value: plain, quoted, URL-encoded and Base64."""
    if len(secret) < SHORTEST:
        raise ValueError(f"A value of {len(secret)} characters would be found by chance.")
    forms = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    forms |= {json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    if ":" in secret:
        forms.add(b64encode(secret.encode()).decode().rstrip("="))
    return forms


def _hint(secret: str) -> str:
    # Test reports are logs, too, so they must not contain the whole secret.
    return f"{secret[:3]}… ({len(secret)} characters)"
