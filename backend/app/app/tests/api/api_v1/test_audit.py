"""The audit log: who did what to whom, when and from where."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import crud
from app.core.config import settings
from app.crud.crud_audit import audit as crud_audit
from app.main import app
from app.models import Audit, User
from app.tests.utils.user import bearer, create_random_user
from app.tests.utils.utils import random_email
from app.utils import generate_mailed_token, generate_password_reset_token

API = settings.API_V1_STR
PASSWORD = "the right password"
NEW_PASSWORD = "another password"
ADDRESS = "192.0.2.77"


@pytest.fixture
def client(db: Session) -> Iterator[TestClient]:
    with TestClient(app, client=(ADDRESS, 50000)) as test_client:
        yield test_client


@pytest.fixture
def user(db: Session) -> User:
    return create_random_user(db, password=PASSWORD)


def log_in(client: TestClient, email: str, password: str = PASSWORD) -> dict[str, str]:
    form = {"username": email, "password": password}
    response = client.post(f"{API}/login/access-token", data=form)
    return bearer(response.json().get("access_token", ""))


def events(db: Session, user: User) -> list[str]:
    """Return the events of which the user is the target, with their details."""
    rows = db.scalars(select(Audit).where(Audit.target_id == user.id).order_by(Audit.id))
    return [f"{row.event} {row.detail}".strip() for row in rows]


def last_row(db: Session) -> Audit:
    return db.scalars(select(Audit).order_by(Audit.id.desc()).limit(1)).one()


def test_events_are_recorded(client: TestClient, db: Session, user: User) -> None:
    headers = log_in(client, user.email)
    login = last_row(db)
    assert (login.actor, login.target, login.address) == (user.email, user.email, ADDRESS)
    assert login.session_id
    log_in(client, user.email, "a wrong one")
    assert last_row(db).actor is None
    for field in ("is_active", "is_verified"):
        crud.user.update(db, db_obj=user, obj_in={field: False})
        log_in(client, user.email)
        crud.user.update(db, db_obj=user, obj_in={field: True})
    headers = log_in(client, user.email)
    login = last_row(db)

    new_email = random_email()
    client.put(
        f"{API}/users/me", headers=headers, json={"password": NEW_PASSWORD, "full_name": "x"}
    )
    assert last_row(db).session_id == login.session_id
    body = {"password": NEW_PASSWORD, "current_password": PASSWORD}
    client.put(f"{API}/users/me", headers=headers, json=body)
    headers = log_in(client, user.email, NEW_PASSWORD)
    client.delete(f"{API}/users/me/sessions", headers=headers)
    ended = last_row(db).session_id
    client.delete(f"{API}/users/me/sessions/{ended}", headers=headers)
    db.refresh(user)
    link = {"token": generate_mailed_token(user, "change-email", email=new_email)}
    client.post(f"{API}/verify-email/", json=link)
    db.refresh(user)
    link = {"token": generate_password_reset_token(user), "new_password": PASSWORD}
    client.post(f"{API}/reset-password/", json=link)
    headers = log_in(client, new_email)
    client.post(f"{API}/login/logout", headers=headers)
    headers = log_in(client, new_email)
    body = {"current_password": PASSWORD}
    assert client.request("DELETE", f"{API}/users/me", headers=headers, json=body).is_success

    assert events(db, user) == [
        "login",
        "login_failed",
        "login_failed inactive",
        "login_failed email not verified",
        "login",
        "password_rejected",
        "password_changed",
        "login",
        "session_ended all others",
        f"session_ended {ended}",
        f"email_changed {new_email}",
        "password_changed with a mailed link",
        "login",
        "logout",
        "login",
        "user_deleted",
    ]
    # The rows outlive the user.
    deleted = last_row(db)
    assert (deleted.actor, deleted.target) == (new_email, new_email)


def test_changes_by_superusers_are_recorded(
    superuser: User, superuser_client: TestClient, db: Session
) -> None:
    body = {"email": random_email(), "password": PASSWORD, "is_superuser": True}
    created = superuser_client.post(f"{API}/users/", json=body).json()
    user = crud.user.get(db, created["id"])
    assert user is not None
    url = f"{API}/users/{user.id}"
    new_email = random_email()
    for change in (
        {"full_name": "No event", "email": user.email},
        {"is_superuser": False, "is_active": True},
        {"email": new_email},
        {"password": NEW_PASSWORD, "is_active": False},
    ):
        assert superuser_client.put(url, json=change).is_success
    assert superuser_client.delete(f"{url}/sessions").is_success
    assert superuser_client.delete(url).is_success
    assert events(db, user) == [
        "user_created is_superuser=True",
        "permissions_changed is_superuser=False",
        f"email_changed {new_email}",
        "password_changed",
        "permissions_changed is_active=False",
        "session_ended all",
        "user_deleted",
    ]
    assert last_row(db).actor == superuser.email


def test_sign_up_is_recorded(
    client: TestClient, db: Session, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "USERS_OPEN_REGISTRATION", True)
    new = random_email()
    for email in (new, user.email):
        body = {"email": email, "password": PASSWORD}
        assert client.post(f"{API}/users/open", json=body).status_code == 202
    created = crud.user.get_by_email(db, email=new)
    assert created is not None
    client.post(
        f"{API}/verify-email/", json={"token": generate_mailed_token(created, "verify-email")}
    )
    assert events(db, created) == ["signed_up", f"email_verified {new}"]
    assert events(db, user) == ["signed_up email taken"]


def test_failed_change_is_not_recorded(
    superuser_client: TestClient, db: Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app.crud.crud_audit")
    user, other = create_random_user(db), create_random_user(db)
    response = superuser_client.put(f"{API}/users/{user.id}", json={"email": other.email})
    assert response.status_code == 409
    assert events(db, user) == []
    assert "email_changed" not in caplog.text


def test_log_has_the_same_events(
    client: TestClient, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app.crud.crud_audit")
    log_in(client, user.email)
    (line,) = [r.message for r in caplog.records if r.name == "app.crud.crud_audit"]
    assert line.startswith(f"login: actor_id={user.id} target_id={user.id}")
    assert f"address={ADDRESS}" in line


def test_savepoint_logs_nothing(db: Session, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "app.crud.crud_audit")
    with db.begin_nested():
        crud_audit.record(db, Audit(event="login", detail="", address=ADDRESS))
    assert "login" not in caplog.text
    db.commit()
    assert caplog.text.count("login: ") == 1


def test_address_is_shortened_and_printable(db: Session, user: User) -> None:
    """A proxy may pass on whatever its client sent as X-Forwarded-For."""
    log_in(TestClient(app, client=("192.0.2.1\n\0" + "x" * 50, 50000)), user.email)
    assert last_row(db).address == "192.0.2.1" + "x" * 36


def test_secrets_are_not_recorded(client: TestClient, db: Session, user: User) -> None:
    """The email of a failed login may be a password, typed into the wrong field."""
    log_in(client, "my-secret-password", "x")
    log_in(client, user.email, "my-secret-password")
    rows = db.scalars(select(Audit).order_by(Audit.id.desc()).limit(2)).all()
    assert {row.event for row in rows} == {"login_failed"}
    columns = Audit.__table__.columns.keys()
    assert not any("secret" in str(getattr(row, name)) for row in rows for name in columns)


def test_list_can_be_searched_and_sorted(
    client: TestClient, superuser_client: TestClient, user: User
) -> None:
    for password in (PASSWORD, "a wrong one"):
        log_in(client, user.email, password)

    def read(**query: Any) -> list[str]:
        rows = superuser_client.get(f"{API}/audit/", params=query).json()
        return [row["event"] for row in rows]

    assert read(q=user.email) == ["login", "login_failed"]
    assert read(q=user.email, sort="-id", limit=1) == ["login_failed"]


def test_old_rows_are_deleted(client: TestClient, db: Session, user: User) -> None:
    for _ in range(2):
        log_in(client, user.email)
    old = last_row(db)
    db.execute(
        update(Audit)
        .where(Audit.id == old.id)
        .values(created_at=Audit.created_at - timedelta(days=settings.AUDIT_DAYS + 1))
    )
    crud_audit.prune(db)
    assert events(db, user) == ["login"]
