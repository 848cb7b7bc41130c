"""logs_check.py finds secrets in every form."""

import base64
import json
from urllib.parse import quote

import pytest

from logs_check import find_secrets, secret_values

SECRET = "pä ss/wo'rd\"%"
LOGIN = "admin:a-long-password"
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "line",
    [
        f"password {SECRET} was used",
        f"GET /?q={quote(SECRET)}",
        json.dumps({"password": SECRET}),
        f"kwargs={{'password': {SECRET!r}}}",
        f"hash {HASH}",
        f"Authorization: Bearer {JWT}",
        "GET /reset-password?token=abcdefgh.ijk HTTP/1.1",
        "GET /reset-password#token=abcdefghijk",
        f"Authorization: Basic {base64.b64encode(LOGIN.encode()).decode()}",
    ],
)
def test_secret_is_found_with_its_line(line: str) -> None:
    found = find_secrets(f"first\n{line}\nlast", [SECRET, LOGIN])
    assert found
    assert all(where.startswith("line 2: ") for where in found)
    assert not any(SECRET in where or JWT in where for where in found)


@pytest.mark.parametrize("line", ["token=", "a token=none", "the password is wrong", "eyJ", "argon2", "/login?q=a"])
def test_ordinary_lines_contain_no_secret(line: str) -> None:
    assert find_secrets(line, [SECRET, LOGIN]) == []


def test_short_values_are_rejected() -> None:
    with pytest.raises(ValueError, match="by chance"):
        find_secrets("a log", ["admin"])


def test_suffix_of_the_name_marks_a_secret_setting() -> None:
    settings = {
        "SMTP_PASSWORD": "a password",
        "SECRET_KEY": "a long key",
        "FLOWER_BASIC_AUTH": LOGIN,
        "RESET_PASSWORD_HOURS": "48 hours",
        "PASSWORD_RESET_URL": "http://localhost/login",
        "REQUIRE_PASSWORD": "True",
        "REDIS_PASSWORD": "",
    }
    assert secret_values(settings) == {"a password", "a long key", LOGIN}
