"""Concurrent logins, refreshes and changes of the user. These tests commit."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import crud
from app.api.session_tokens import COOKIE, refresh_token
from app.core.config import settings
from app.core.security import InvalidToken
from app.crud.crud_session import decode_session_token
from app.db.session import SessionLocal
from app.models import User, UserSession
from app.tests.utils.database import wait_until_blocked
from app.tests.utils.user import access_token, bearer, create_random_user, start_session
from app.tests.utils.utils import random_lower_string
from app.utils import generate_password_reset_token

API = settings.API_V1_STR
LOGIN = f"{API}/login/access-token"
REFRESH = f"{API}/login/refresh"
ME = f"{API}/users/me"
PASSWORD = "the right password"


@pytest.fixture
def session(committed_client: TestClient) -> UserSession:
    """A committed session. `committed_client` deletes its user."""
    with SessionLocal(expire_on_commit=False) as db:
        session = start_session(create_random_user(db, password=PASSWORD))
        db.commit()
    return session


def email_of(session: UserSession) -> str:
    with SessionLocal() as db:
        return db.scalars(select(User.email).where(User.id == session.owner_id)).one()


def change_password(db: Session, user: User) -> None:
    crud.user.update(db, db_obj=user, obj_in={"password": random_lower_string()})


def deactivate(db: Session, user: User) -> None:
    crud.user.update(db, db_obj=user, obj_in={"is_active": False})


def delete(db: Session, user: User) -> None:
    crud.user.remove(db, id=user.id)


def send_during(
    change: Callable[[Session, User], None], user_id: int, send: Callable[[], Response]
) -> Response:
    """Return the response to a request that waits for the commit of a change."""
    with SessionLocal() as db, ThreadPoolExecutor(1) as pool:
        user = crud.user.get(db, user_id, for_update=True)
        assert user is not None
        change(db, user)
        future: Future[Response] = pool.submit(send)
        wait_until_blocked(db)
        db.commit()
        return future.result(20)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (change_password, "incorrect_credentials"),
        (deactivate, "inactive_account"),
        (delete, "incorrect_credentials"),
    ],
)
def test_login_during_change_starts_no_session(
    committed_client: TestClient,
    session: UserSession,
    change: Callable[[Session, User], None],
    code: str,
) -> None:
    """The login has verified the old password before the change is committed."""
    form = {"username": email_of(session), "password": PASSWORD}
    response = send_during(
        change, session.owner_id, lambda: committed_client.post(LOGIN, data=form)
    )
    assert (response.status_code, response.json()["code"]) == (400, code)
    with SessionLocal() as db:
        assert crud.session.get_active(db, session.owner_id) == []


def test_new_password_ends_session_of_login_in_progress(
    committed_client: TestClient, session: UserSession
) -> None:
    """The login commits first. The change waits for it, and then also ends its session."""
    body = {"password": random_lower_string(), "current_password": PASSWORD}
    headers = bearer(access_token(session))
    with SessionLocal() as db, ThreadPoolExecutor(1) as pool:
        user = crud.user.authenticate(db, email=email_of(session), password=PASSWORD)
        assert user is not None
        token = access_token(start_session(user))
        future = pool.submit(committed_client.put, ME, headers=headers, json=body)
        wait_until_blocked(db)
        db.commit()
        assert future.result(20).status_code == 200
    assert committed_client.get(ME, headers=bearer(token)).status_code == 401


@pytest.mark.parametrize("change", [change_password, deactivate, delete])
def test_refresh_during_change_is_401(
    committed_client: TestClient, session: UserSession, change: Callable[[Session, User], None]
) -> None:
    headers = {"Cookie": f"{COOKIE}={refresh_token(session)}"}
    response = send_during(
        change, session.owner_id, lambda: committed_client.post(REFRESH, headers=headers)
    )
    assert response.status_code == 401
    assert "set-cookie" not in response.headers
    with SessionLocal() as db:
        assert crud.session.get_active(db, session.owner_id) == []


def test_mailed_link_during_change_of_password_is_invalid(
    committed_client: TestClient, session: UserSession
) -> None:
    with SessionLocal() as db:
        token = generate_password_reset_token(db.get_one(User, session.owner_id))
    body = {"token": token, "new_password": random_lower_string()}
    response = send_during(
        change_password,
        session.owner_id,
        lambda: committed_client.post(f"{API}/reset-password/", json=body),
    )
    assert response.json()["code"] == "invalid_link"


def test_ended_session_stays_ended_in_older_transactions(session: UserSession) -> None:
    """PostgreSQL's now() is the start of the transaction, which may be before the end."""
    payload = decode_session_token(refresh_token(session), "refresh")
    with SessionLocal() as older, SessionLocal.begin() as newer:
        older.execute(select(1))
        crud.session.end(newer, owner_id=session.owner_id)
        newer.commit()
        with pytest.raises(InvalidToken):
            crud.session.refresh(older, payload)
        assert crud.session.get_active(older, session.owner_id) == []


def test_tabs_may_refresh_at_once(committed_client: TestClient, session: UserSession) -> None:
    """All tabs send the same cookie. Whichever response arrives last, its cookie is valid."""

    def refresh(token: str) -> Response:
        return committed_client.post(REFRESH, headers={"Cookie": f"{COOKIE}={token}"})

    with ThreadPoolExecutor(5) as pool:
        responses = list(pool.map(refresh, [refresh_token(session)] * 5))
    assert [response.status_code for response in responses] == [200] * 5
    for response in responses:
        assert refresh(response.cookies[COOKIE]).status_code == 200
        headers = bearer(response.json()["access_token"])
        assert committed_client.get(ME, headers=headers).status_code == 200
    with SessionLocal() as db:
        assert [each.id for each in crud.session.get_active(db, session.owner_id)] == [session.id]
        assert committed_client.get(ME, headers=bearer(access_token(session))).status_code == 200
