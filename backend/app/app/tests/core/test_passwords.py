"""Rules for new passwords, which apply wherever a password is set."""

from typing import Any
from unicodedata import normalize

import pytest
from fastapi.testclient import TestClient
from passlib.hash import bcrypt
from sqlalchemy.orm import Session

from app import crud
from app.core.config import settings
from app.tests.utils.user import auth_headers, create_random_user
from app.tests.utils.utils import random_lower_string
from app.utils import generate_password_reset_token

API = settings.API_V1_STR
GOOD = "correct horse battery"

TOO_COMMON, IS_EMAIL, IS_PROJECT = (
    "password_too_common",
    "password_is_email",
    "password_is_project_name",
)
WEAK = [
    ("password", TOO_COMMON),
    ("PassWord", TOO_COMMON),
    ("12345678", TOO_COMMON),
    ("qwertyuiop", TOO_COMMON),
    ("1q2w3e4r5t", TOO_COMMON),
    ("1234567890", TOO_COMMON),
    ("iloveyou1", TOO_COMMON),
    ("password ", TOO_COMMON),
    ("ｐａｓｓｗｏｒｄ", TOO_COMMON),
    (normalize("NFD", "ééééééééé"), TOO_COMMON),
    ("changethis", TOO_COMMON),
    ("        ", TOO_COMMON),
    ("\u00a0\u2003 \t    ", TOO_COMMON),
    ("xxxxxxxxxxxxxxxx", TOO_COMMON),
    ("\U0001f511" * 8, TOO_COMMON),
    # Invisible: zero-width space, soft hyphen, byte-order mark, word joiner, direction mark.
    ("pass\u200bword", TOO_COMMON),
    ("pass\u00adword", TOO_COMMON),
    ("\ufeffpassword", TOO_COMMON),
    ("\u200b\u2060" * 4, TOO_COMMON),
    ("changethis\u200e", TOO_COMMON),
    ("long.\u200bname", IS_EMAIL),
    ("Great\u200bproject", IS_PROJECT),
    ("Great-project", IS_PROJECT),
    ("great_project!", IS_PROJECT),
    ("long.name@example.com", IS_EMAIL),
    ("Long.Name@EXAMPLE.com", IS_EMAIL),
    ("long.name", IS_EMAIL),
    ("LONG.NAME", IS_EMAIL),
    ("ｌｏｎｇ.ｎａｍｅ", IS_EMAIL),
    ("Great project", IS_PROJECT),
    ("greatproject", IS_PROJECT),
    ("GREAT  PROJECT ", IS_PROJECT),
]
EMAIL = "long.name@example.com"


@pytest.fixture(autouse=True)
def project_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PROJECT_NAME", "Great project")
    monkeypatch.setattr(settings, "USERS_OPEN_REGISTRATION", True)


def assert_rejected(response: Any, field: str, kind: str) -> None:
    assert response.status_code == 422, response.text
    (problem,) = response.json()["detail"]
    assert problem["type"] == kind
    assert problem["loc"] == ["body", field]
    assert problem["msg"].endswith(".")


@pytest.mark.parametrize(("password", "kind"), WEAK, ids=[ascii(each) for each, _ in WEAK])
def test_weak_password_is_rejected_at_sign_up(
    client: TestClient, db: Session, password: str, kind: str
) -> None:
    body = {"email": EMAIL.upper(), "password": password}
    assert_rejected(client.post(f"{API}/users/open", json=body), "password", kind)
    assert crud.user.get_by_email(db, email=EMAIL) is None


@pytest.mark.parametrize("password", ["password", "long.name", "great project"])
def test_weak_password_is_rejected_everywhere(
    client: TestClient, superuser_client: TestClient, db: Session, password: str
) -> None:
    kind = dict(WEAK).get(password, IS_PROJECT)
    body = {"email": EMAIL, "password": password}
    created = superuser_client.post(f"{API}/users/", json=body)
    assert_rejected(created, "password", kind)

    user = create_random_user(db, email=EMAIL, password=GOOD)
    before = user.hashed_password
    url = f"{API}/users/{user.id}"
    updated = superuser_client.put(url, json={"password": password})
    assert_rejected(updated, "password", kind)
    body = {"password": password, "current_password": GOOD}
    assert_rejected(
        client.put(f"{API}/users/me", headers=auth_headers(user), json=body), "password", kind
    )

    token = generate_password_reset_token(user)
    body = {"token": token, "new_password": password}
    assert_rejected(client.post(f"{API}/reset-password/", json=body), "new_password", kind)
    db.refresh(user)
    assert user.hashed_password == before
    # A rejected password does not use up the token.
    body = {"token": token, "new_password": "another good one"}
    assert client.post(f"{API}/reset-password/", json=body).status_code == 200


def test_password_is_compared_with_new_email(client: TestClient, db: Session) -> None:
    user = create_random_user(db, password=GOOD)
    body = {"email": EMAIL, "password": "long.name", "current_password": GOOD}
    response = client.put(f"{API}/users/me", headers=auth_headers(user), json=body)
    assert_rejected(response, "password", IS_EMAIL)


@pytest.mark.parametrize(
    "password",
    ["password of mine", "my long.name", "Great project 2", "x       y", "xy" * 4, "ббббббба"],
)
def test_passwords_that_only_resemble_weak_ones_are_accepted(
    client: TestClient, db: Session, password: str
) -> None:
    body = {"email": EMAIL, "password": password}
    assert client.post(f"{API}/users/open", json=body).status_code == 202
    assert crud.user.authenticate(db, email=EMAIL, password=password) is not None


def test_password_may_contain_local_part_of_email(client: TestClient) -> None:
    body = {"email": "me@example.com", "password": "me and myself"}
    assert client.post(f"{API}/users/open", json=body).status_code == 202


@pytest.mark.parametrize("password", ["password", "long.name", "changethis"])
def test_existing_weak_password_logs_in_and_is_rehashed(
    client: TestClient, db: Session, password: str
) -> None:
    user = create_random_user(db, email=EMAIL)
    user.hashed_password = bcrypt.using(rounds=4).hash(password)
    db.flush()
    form = {"username": EMAIL, "password": password}
    for _ in range(2):
        assert client.post(f"{API}/login/access-token", data=form).status_code == 200
    db.refresh(user)
    assert user.hashed_password.startswith("$argon2id$")


def test_common_passwords_are_normalised_and_long_enough() -> None:
    from app.core.passwords import common_passwords

    passwords = common_passwords()
    assert len(passwords) == 3000
    assert min(map(len, passwords)) == 8
    assert all(each == normalize("NFKC", each).casefold() for each in passwords)
    assert random_lower_string() not in passwords
