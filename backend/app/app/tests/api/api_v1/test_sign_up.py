"""Sign-up, and the confirmation of emails. The mails are tested in test_worker.py."""

from datetime import timedelta
from typing import Any
from unittest.mock import Mock, call

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import crud
from app.core import security
from app.core.config import Settings, settings
from app.models import User
from app.tests.utils.user import auth_headers, create_random_user
from app.tests.utils.utils import random_email
from app.utils import generate_mailed_token, generate_password_reset_token

API = settings.API_V1_STR
OPEN = f"{API}/users/open"
ME = f"{API}/users/me"
VERIFY = f"{API}/verify-email/"
PASSWORD = "the right password"
INVALID_LINK = {"detail": "Invalid token", "code": "invalid_link"}


@pytest.fixture(autouse=True)
def open_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "USERS_OPEN_REGISTRATION", True)


def log_in(client: TestClient, email: str, password: str = PASSWORD) -> Any:
    form = {"username": email, "password": password}
    return client.post(f"{API}/login/access-token", data=form)


def unverified_user(db: Session) -> User:
    return create_random_user(db, is_verified=False, password=PASSWORD)


@pytest.mark.parametrize("setting", ["USERS_OPEN_REGISTRATION", "EMAILS_ENABLED"])
def test_sign_up_can_be_closed(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    assert client.get(OPEN).json() == {"is_open": True}
    monkeypatch.setattr(settings, setting, False)
    assert client.get(OPEN).json() == {"is_open": False}
    response = client.post(OPEN, json={"email": random_email(), "password": PASSWORD})
    assert response.status_code == 403
    assert response.json() == {
        "detail": "Open user registration is forbidden on this server",
        "code": "registration_closed",
    }


def test_registration_without_mail_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USERS_OPEN_REGISTRATION", "true")
    assert Settings().warnings() == []
    monkeypatch.setenv("SMTP_HOST", "")
    (warning,) = Settings().warnings()
    assert "nobody can sign up" in warning


def test_sign_up_does_not_reveal_users(
    client: TestClient, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_password = Mock(wraps=security.password_context.hash)
    monkeypatch.setattr(security.password_context, "hash", hash_password)
    user = create_random_user(db, password=PASSWORD, full_name="Before")
    inactive = create_random_user(db, is_active=False)
    responses = [
        client.post(OPEN, json={"email": email, "password": "another one", "full_name": "After"})
        for email in (random_email(), user.email.upper(), inactive.email)
    ]
    assert {response.status_code for response in responses} == {202}
    assert len({response.content for response in responses}) == 1
    # Hashing takes most of the time, so the time does not reveal users either.
    assert hash_password.mock_calls.count(call("another one")) == len(responses)
    db.expire_all()
    assert user.full_name == "Before"
    assert security.verify_password(PASSWORD, user.hashed_password)


def test_sign_up_creates_an_unverified_user(client: TestClient, db: Session) -> None:
    body = {
        "email": random_email(),
        "password": PASSWORD,
        "language": "ru",
        "is_superuser": True,
        "is_verified": True,
    }
    assert client.post(OPEN, json=body).status_code == 202
    user = crud.user.get_by_email(db, email=str(body["email"]))
    assert user is not None
    assert (user.is_active, user.is_superuser, user.is_verified) == (True, False, False)
    assert user.language == "ru"


def test_login_requires_a_verified_email(client: TestClient, db: Session) -> None:
    user = unverified_user(db)
    assert log_in(client, user.email, "a wrong one").json()["code"] == "incorrect_credentials"
    response = log_in(client, user.email)
    assert response.status_code == 400
    assert (
        response.json().items()
        >= {
            "detail": "Email not verified",
            "code": "email_not_verified",
            "error": "invalid_grant",
        }.items()
    )
    body = {"token": generate_mailed_token(user, "verify-email")}
    assert client.post(VERIFY, json=body).json() == {"msg": "Email confirmed"}
    assert log_in(client, user.email).status_code == 200


def test_other_users_need_no_confirmation(client: TestClient, superuser_client: TestClient) -> None:
    body = {"email": random_email(), "password": PASSWORD}
    assert superuser_client.post(f"{API}/users/", json=body).json()["is_verified"] is True
    assert log_in(client, body["email"]).status_code == 200


def test_superuser_can_confirm_an_email(
    client: TestClient, superuser_client: TestClient, db: Session
) -> None:
    user = unverified_user(db)
    response = superuser_client.put(f"{API}/users/{user.id}", json={"is_verified": True})
    assert response.json()["is_verified"] is True
    assert log_in(client, user.email).status_code == 200


def test_user_whose_email_is_no_longer_confirmed_is_logged_out(
    client: TestClient, superuser_client: TestClient, db: Session
) -> None:
    user = create_random_user(db)
    headers = auth_headers(user)
    assert superuser_client.put(f"{API}/users/{user.id}", json={"is_verified": False}).is_success
    assert client.get(ME, headers=headers).status_code == 401


def test_superuser_can_set_the_language_of_a_user(
    superuser_client: TestClient, db: Session
) -> None:
    user = create_random_user(db)
    response = superuser_client.put(f"{API}/users/{user.id}", json={"language": "ru"})
    assert response.json()["language"] == "ru"
    db.refresh(user)
    assert user.language == "ru"


def test_link_to_set_a_password_confirms_the_email(client: TestClient, db: Session) -> None:
    """It is sent to the owner of an email with which somebody else signed up before."""
    user = unverified_user(db)
    confirmation = generate_mailed_token(user, "verify-email")
    body = {"token": generate_password_reset_token(user), "new_password": "another password"}
    assert client.post(f"{API}/reset-password/", json=body).status_code == 200
    assert log_in(client, user.email, "another password").status_code == 200
    assert log_in(client, user.email).status_code == 400
    assert client.post(VERIFY, json={"token": confirmation}).json() == INVALID_LINK


def test_new_email_is_used_after_its_confirmation(client: TestClient, db: Session) -> None:
    user = create_random_user(db, password=PASSWORD)
    old, new = user.email, random_email()
    body = {"email": new.upper(), "current_password": PASSWORD, "full_name": "After"}
    headers = auth_headers(user)
    response = client.put(ME, headers=headers, json=body)
    assert response.json().items() >= {"email": old, "full_name": "After"}.items()
    assert log_in(client, new).status_code == 400

    link = {"token": generate_mailed_token(user, "change-email", email=new)}
    assert client.post(VERIFY, json=link).json() == {"msg": "Email confirmed"}
    assert client.get(ME, headers=headers).json()["email"] == new
    assert log_in(client, new).status_code == 200
    assert log_in(client, old).status_code == 400


def test_change_of_email_does_not_reveal_users(client: TestClient, db: Session) -> None:
    user, other = create_random_user(db, password=PASSWORD), create_random_user(db)
    headers = auth_headers(user)
    bodies = []
    for email in (random_email(), other.email):
        body = {"email": email, "current_password": PASSWORD}
        response = client.put(ME, headers=headers, json=body)
        assert response.status_code == 200
        bodies.append(response.json() | {"updated_at": None})
    assert bodies[0] == bodies[1]
    # Only the owner of the mailbox could get such a link, so its response may reveal the user.
    link = {"token": generate_mailed_token(user, "change-email", email=other.email)}
    response = client.post(VERIFY, json=link)
    assert (response.status_code, response.json()["code"]) == (409, "email_taken")


def test_change_of_email_requires_mail(
    client: TestClient, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = create_random_user(db, password=PASSWORD)
    monkeypatch.setattr(settings, "EMAILS_ENABLED", False)
    body = {"email": random_email(), "current_password": PASSWORD}
    response = client.put(ME, headers=auth_headers(user), json=body)
    assert (response.status_code, response.json()["code"]) == (503, "mail_not_configured")


@pytest.mark.parametrize("purpose", ["verify-email", "change-email"])
@pytest.mark.parametrize(
    "cause",
    ["used", "late", "new password", "new email", "inactive", "deleted", "purpose", "malformed"],
)
def test_link_is_rejected(
    client: TestClient, db: Session, purpose: security.Purpose, cause: str
) -> None:
    user = unverified_user(db)
    claims = {"email": random_email()} if purpose == "change-email" else {}
    token = generate_mailed_token(user, purpose, **claims)
    match cause:
        case "used":
            assert client.post(VERIFY, json={"token": token}).status_code == 200
        case "late":
            secrets = (user.hashed_password, user.email)
            ago = timedelta(seconds=-1)
            token = security.create_token(purpose, user.id, ago, *secrets, **claims)
        case "new password":
            crud.user.update(db, db_obj=user, obj_in={"password": "another password"})
        case "new email":
            crud.user.update(db, db_obj=user, obj_in={"email": random_email()})
        case "inactive":
            crud.user.update(db, db_obj=user, obj_in={"is_active": False})
        case "deleted":
            crud.user.remove(db, id=user.id)
        case "purpose":
            token = generate_password_reset_token(user)
        case "malformed":
            token = generate_mailed_token(user, purpose, email="no email")
    before = cause not in ("used", "deleted") and (user.email, user.is_verified)
    response = client.post(VERIFY, json={"token": token})
    assert (response.status_code, response.json()) == (400, INVALID_LINK)
    if before:
        db.refresh(user)
        assert (user.email, user.is_verified) == before


def test_confirmation_does_not_set_a_password(client: TestClient, db: Session) -> None:
    user = unverified_user(db)
    for token in (
        generate_mailed_token(user, "verify-email"),
        generate_mailed_token(user, "change-email", email=random_email()),
    ):
        body = {"token": token, "new_password": "another password"}
        response = client.post(f"{API}/reset-password/", json=body)
        assert (response.status_code, response.json()) == (400, INVALID_LINK)


def test_link_can_be_sent_again_without_revealing_users(client: TestClient, db: Session) -> None:
    emails = (unverified_user(db).email, create_random_user(db).email, random_email())
    responses = [client.post(f"{API}/email-verification/", json={"email": e}) for e in emails]
    assert {response.status_code for response in responses} == {202}
    assert len({response.content for response in responses}) == 1
