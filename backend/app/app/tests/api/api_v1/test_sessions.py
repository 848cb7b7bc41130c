"""Sessions: the refresh cookie, the list of sessions, and everything that ends a session."""

from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from jose import jwt
from passlib.hash import bcrypt
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import crud
from app.api import session_tokens
from app.api.session_tokens import COOKIE
from app.core.config import settings
from app.main import app
from app.models import User, UserSession
from app.tests.utils.user import auth_headers, bearer, create_random_user, start_session
from app.tests.utils.utils import random_email, random_lower_string
from app.utils import generate_password_reset_token

API = settings.API_V1_STR
LOGIN = f"{API}/login/access-token"
REFRESH = f"{API}/login/refresh"
LOGOUT = f"{API}/login/logout"
ME = f"{API}/users/me"
SESSIONS = f"{API}/users/me/sessions"
PASSWORD = "the right password"


@pytest.fixture
def user(db: Session) -> User:
    return create_random_user(db, password=PASSWORD)


@pytest.fixture
def browser(db: Session) -> TestClient:
    return new_browser()


def new_browser() -> TestClient:
    """Return a client with its own cookies. It sends Secure cookies, because it uses HTTPS."""
    return TestClient(app, base_url="https://testserver", headers={"X-Session": "cookie"})


def log_in(browser: TestClient, user: User, **headers: str) -> dict[str, str]:
    """Log in, and return the Authorization header. The browser keeps the cookie."""
    form = {"username": user.email, "password": PASSWORD}
    response = browser.post(LOGIN, data=form, headers=headers)
    assert response.status_code == 200
    return bearer(response.json()["access_token"])


def status(browser: TestClient, headers: dict[str, str]) -> int:
    return browser.get(ME, headers=headers).status_code


def stored(db: Session, user: User) -> list[UserSession]:
    """Return the sessions of a user, ended or not, the oldest first."""
    db.expire_all()
    rows = select(UserSession).where(UserSession.owner_id == user.id).order_by(UserSession.id)
    return list(db.scalars(rows))


def change(db: Session, user: User, **values: Any) -> None:
    """Change the sessions of a user, to test times without waiting."""
    db.execute(update(UserSession).where(UserSession.owner_id == user.id).values(**values))


def ago(**units: float) -> Any:
    return func.now() - timedelta(**units)


def set_cookie(response: Response) -> Morsel[str]:
    (header,) = response.headers.get_list("set-cookie")
    return SimpleCookie(header)[COOKIE]


# The cookie


def test_login_sets_cookie_only_on_request(user: User) -> None:
    browser = TestClient(app, base_url="https://testserver")
    form = {"username": user.email, "password": PASSWORD}
    assert "set-cookie" not in browser.post(LOGIN, data=form).headers
    response = browser.post(LOGIN, data=form, headers={"X-Session": "cookie"})
    cookie = set_cookie(response)
    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "strict"
    assert cookie["path"] == f"{API}/login"
    assert cookie["max-age"] == str(settings.SESSION_IDLE_HOURS * 3600)
    assert response.headers["Cache-Control"] == "no-store"
    # Scripts can read the body.
    assert cookie.value not in response.text


def test_cookie_name_contains_stack_and_port() -> None:
    """Browsers send a cookie to all ports of a host, so projects on one machine must differ."""
    assert settings.STACK_NAME.replace("_", "-") in COOKIE
    assert str(urlsplit(settings.SERVER_HOST).port or "") in COOKIE


@pytest.mark.parametrize(
    ("url", "server", "secure"),
    [
        ("http://testserver", "http://testserver", False),
        ("https://testserver", "http://testserver", True),
        # A proxy in front of the server decrypts the requests.
        ("http://testserver", "https://testserver", True),
    ],
)
def test_cookie_is_secure_on_https(
    user: User, monkeypatch: pytest.MonkeyPatch, url: str, server: str, secure: bool
) -> None:
    monkeypatch.setattr(session_tokens, "_server", urlsplit(server))
    form = {"username": user.email, "password": PASSWORD}
    browser = TestClient(app, base_url=url, headers={"X-Session": "cookie"})
    assert bool(set_cookie(browser.post(LOGIN, data=form))["secure"]) == secure


def test_refresh_rotates_cookie(browser: TestClient, user: User) -> None:
    headers = log_in(browser, user)
    before = browser.cookies[COOKIE]
    response = browser.post(REFRESH)
    assert response.status_code == 200
    assert response.json()["expires_in"] == settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60
    assert response.headers["Cache-Control"] == "no-store"
    cookie = set_cookie(response)
    assert cookie.value != before
    assert (bool(cookie["httponly"]), cookie["samesite"], cookie["path"]) == (
        True,
        "strict",
        f"{API}/login",
    )
    for each in (headers, bearer(response.json()["access_token"])):
        assert status(browser, each) == 200
    assert len(browser.get(SESSIONS, headers=headers).json()) == 1
    assert browser.post(REFRESH).status_code == 200


def test_refresh_without_cookie_is_401(browser: TestClient, user: User) -> None:
    """The access token is not enough."""
    response = browser.post(REFRESH, headers=auth_headers(user))
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize(("seconds", "in_grace"), [(0, True), (29, True), (31, False)])
def test_reused_cookie_ends_session_after_grace(
    browser: TestClient, user: User, db: Session, seconds: int, in_grace: bool
) -> None:
    """Another tab may send the same cookie. Later, only a thief would."""
    headers = log_in(browser, user)
    stolen = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    assert browser.post(REFRESH).status_code == 200
    change(db, user, last_used_at=ago(seconds=seconds))
    response = TestClient(app).post(REFRESH, headers=stolen)
    if in_grace:
        assert (response.status_code, status(browser, headers)) == (200, 200)
        assert browser.post(REFRESH).status_code == 200
    else:
        assert (response.status_code, response.json()["code"]) == (401, "invalid_token")
        assert "set-cookie" not in response.headers
        assert status(browser, headers) == 401
        assert browser.post(REFRESH).status_code == 401


def test_grace_covers_only_the_previous_cookie(
    browser: TestClient, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    headers = log_in(browser, user)
    stolen = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    for _ in range(2):
        assert browser.post(REFRESH).status_code == 200
    assert TestClient(app).post(REFRESH, headers=stolen).status_code == 401
    assert "refresh_token_reused" in caplog.text
    assert status(browser, headers) == 401
    assert browser.post(REFRESH).status_code == 401


# Lifetimes


def test_session_without_cookie_ends_with_access_token(user: User, db: Session) -> None:
    log_in(TestClient(app), user)
    (session,) = stored(db, user)
    lifetime = timedelta(minutes=settings.ACCESS_TOKEN_EXPIRE_MINUTES)
    assert session.expires_at - session.created_at == lifetime


@pytest.mark.parametrize(
    ("age", "left"),
    [
        (1, settings.SESSION_IDLE_HOURS),
        (settings.SESSION_MAX_HOURS - 1, 1),
    ],
)
def test_refresh_extends_session_up_to_maximum(
    browser: TestClient, user: User, db: Session, age: int, left: int
) -> None:
    log_in(browser, user)
    now = stored(db, user)[0].created_at
    assert stored(db, user)[0].expires_at - now == timedelta(hours=settings.SESSION_IDLE_HOURS)
    change(db, user, created_at=ago(hours=age), expires_at=now + timedelta(minutes=1))
    assert browser.post(REFRESH).status_code == 200
    assert stored(db, user)[0].expires_at - now == timedelta(hours=left)


def test_expired_session_is_401(browser: TestClient, user: User, db: Session) -> None:
    headers = log_in(browser, user)
    change(db, user, expires_at=func.now())
    assert status(browser, headers) == 401
    response = browser.post(REFRESH)
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


def test_login_deletes_ended_sessions_of_user(user: User, db: Session) -> None:
    other = create_random_user(db)
    ended, active = start_session(user).id, start_session(user).id
    start_session(other)
    change(db, other, expires_at=ago(days=1))
    db.execute(update(UserSession).where(UserSession.id == ended).values(expires_at=ago(days=1)))
    log_in(new_browser(), user)
    ids = [session.id for session in stored(db, user)]
    assert (ended in ids, active in ids, len(ids)) == (False, True, 2)
    assert len(stored(db, other)) == 1


# The list, and what ends sessions


def test_sessions_are_listed(browser: TestClient, user: User, db: Session) -> None:
    start_session(create_random_user(db))
    ended = start_session(user)
    crud.session.end(db, owner_id=user.id, session_id=ended.id)
    log_in(browser, user, **{"User-Agent": "Tablet"})
    for agent in ("Phone", "Laptop"):
        headers = log_in(new_browser(), user, **{"User-Agent": agent})
    change(db, user, last_used_at=ago(days=1))
    assert browser.post(REFRESH).status_code == 200
    listed = browser.get(SESSIONS, headers=headers).json()
    assert [(each["user_agent"], each["is_current"]) for each in listed] == [
        ("Tablet", False),
        ("Laptop", True),
        ("Phone", False),
    ]
    assert listed[0]["address"] == "testclient"
    assert listed[0].keys() == {
        "id",
        "user_agent",
        "address",
        "is_current",
        "created_at",
        "updated_at",
        "last_used_at",
        "expires_at",
    }


def test_one_session_can_be_ended(browser: TestClient, user: User) -> None:
    phone = new_browser()
    here, there = log_in(browser, user), log_in(phone, user)
    current = {
        each["is_current"]: each["id"] for each in browser.get(SESSIONS, headers=here).json()
    }
    url = f"{SESSIONS}/{current[False]}"
    assert browser.delete(url, headers=here).json()["id"] == current[False]
    assert (status(phone, there), phone.post(REFRESH).status_code) == (401, 401)
    assert (status(browser, here), browser.post(REFRESH).status_code) == (200, 200)
    again = browser.delete(url, headers=here)
    assert (again.status_code, again.json()) == (
        404,
        {"detail": "Session not found", "code": "not_found"},
    )
    assert browser.delete(f"{SESSIONS}/{current[True]}", headers=here).status_code == 200
    assert status(browser, here) == 401


def test_session_of_another_user_is_404(
    browser: TestClient, user: User, superuser_client: TestClient, db: Session
) -> None:
    """Superusers end the sessions of others with another endpoint."""
    headers = log_in(browser, user)
    (session,) = stored(db, user)
    assert superuser_client.delete(f"{SESSIONS}/{session.id}").status_code == 404
    assert superuser_client.delete(SESSIONS).status_code == 200
    assert status(browser, headers) == 200


def test_other_sessions_can_be_ended(browser: TestClient, user: User, db: Session) -> None:
    phone, stranger = new_browser(), auth_headers(create_random_user(db))
    here, there = log_in(browser, user), log_in(phone, user)
    ended = browser.delete(SESSIONS, headers=here)
    assert [each["is_current"] for each in ended.json()] == [False]
    assert (status(phone, there), phone.post(REFRESH).status_code) == (401, 401)
    assert (status(browser, here), browser.post(REFRESH).status_code) == (200, 200)
    assert status(browser, stranger) == 200


def test_superuser_ends_sessions_of_user(
    browser: TestClient, user: User, superuser_client: TestClient
) -> None:
    headers = log_in(browser, user)
    response = superuser_client.delete(f"{API}/users/{user.id}/sessions")
    assert (response.status_code, len(response.json())) == (200, 1)
    assert (status(browser, headers), browser.post(REFRESH).status_code) == (401, 401)
    assert superuser_client.delete(f"{API}/users/{2**31 - 1}/sessions").status_code == 404
    assert superuser_client.get(ME).status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_logout_ends_session_of_access_token(client: TestClient, user: User, scheme: str) -> None:
    """OAuth2 clients have no cookie. The name of the scheme is case-insensitive (RFC 9110)."""
    headers, other = auth_headers(user), auth_headers(user)
    token = headers["Authorization"].removeprefix("Bearer ")
    response = client.post(LOGOUT, headers={"Authorization": f"{scheme} {token}"})
    assert (response.status_code, response.json()) == (200, {"msg": "Logged out"})
    assert (status(client, headers), status(client, other)) == (401, 200)


def test_logout_ends_session_of_cookie(browser: TestClient, user: User) -> None:
    """The access token may have expired."""
    headers = log_in(browser, user)
    used = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    cookie = set_cookie(browser.post(LOGOUT))
    assert (cookie.value, cookie["max-age"], cookie["path"]) == ("", "0", f"{API}/login")
    assert COOKIE not in browser.cookies
    assert status(browser, headers) == 401
    assert TestClient(app).post(REFRESH, headers=used).status_code == 401
    assert browser.post(LOGOUT).status_code == 200


def test_login_replaces_session_of_browser(browser: TestClient, user: User, db: Session) -> None:
    """Otherwise, the sessions of a browser would accumulate until they expire."""
    first = log_in(browser, user)
    wrong = {"username": user.email, "password": "wrong password"}
    assert browser.post(LOGIN, data=wrong).status_code == 400
    assert status(browser, first) == 200
    second = log_in(browser, create_random_user(db, password=PASSWORD))
    assert (status(browser, first), status(browser, second)) == (401, 200)


@pytest.mark.parametrize("way", ["owner", "superuser", "mailed link"])
def test_new_password_ends_all_sessions(
    browser: TestClient, user: User, superuser_client: TestClient, db: Session, way: str
) -> None:
    headers, stranger = log_in(browser, user), auth_headers(create_random_user(db))
    new = random_lower_string()
    match way:
        case "owner":
            body = {"password": new, "current_password": PASSWORD}
            response = browser.put(ME, headers=headers, json=body)
        case "superuser":
            response = superuser_client.put(f"{API}/users/{user.id}", json={"password": new})
        case _:
            body = {"token": generate_password_reset_token(user), "new_password": new}
            response = browser.post(f"{API}/reset-password/", json=body)
    assert response.status_code == 200
    assert (status(browser, headers), browser.post(REFRESH).status_code) == (401, 401)
    assert status(browser, stranger) == 200


def test_other_changes_of_user_keep_sessions(
    browser: TestClient, user: User, superuser_client: TestClient, db: Session
) -> None:
    headers = log_in(browser, user)
    body: dict[str, Any] = {"email": random_email(), "is_active": True, "is_superuser": True}
    assert superuser_client.put(f"{API}/users/{user.id}", json=body).status_code == 200
    db.refresh(user)
    # The next login replaces an old hash, which is no change of the password.
    user.hashed_password = bcrypt.using(rounds=4).hash(PASSWORD)
    db.flush()
    log_in(new_browser(), user)
    db.refresh(user)
    assert user.hashed_password.startswith("$argon2")
    assert (status(browser, headers), browser.post(REFRESH).status_code) == (200, 200)


def test_deactivation_ends_sessions_for_good(
    browser: TestClient, user: User, superuser_client: TestClient
) -> None:
    """While inactive, the user gets a 403, and after that a 401: the sessions do not return."""
    headers, url = log_in(browser, user), f"{API}/users/{user.id}"
    assert superuser_client.put(url, json={"is_active": False}).status_code == 200
    response = browser.get(ME, headers=headers)
    assert response.status_code == 403
    assert response.json() == {"detail": "Inactive user", "code": "inactive_user"}
    assert browser.post(REFRESH).status_code == 401
    assert superuser_client.put(url, json={"is_active": True}).status_code == 200
    assert (status(browser, headers), browser.post(REFRESH).status_code) == (401, 401)
    assert status(browser, log_in(browser, user)) == 200


def test_deleted_user_is_401(browser: TestClient, user: User, superuser_client: TestClient) -> None:
    headers = log_in(browser, user)
    assert superuser_client.delete(f"{API}/users/{user.id}").status_code == 200
    assert (status(browser, headers), browser.post(REFRESH).status_code) == (401, 401)
    assert browser.post(LOGOUT, headers=headers).status_code == 200


# Keys


def test_rotation_of_secret_key(
    browser: TestClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens signed with an older key stay valid while it is in SECRET_KEY_FALLBACKS."""
    headers, link = log_in(browser, user), generate_password_reset_token(user)
    old, new = settings.SECRET_KEY, random_lower_string()
    monkeypatch.setattr(settings, "SECRET_KEY", new)
    assert (status(browser, headers), browser.post(REFRESH).status_code) == (401, 401)
    monkeypatch.setattr(settings, "SECRET_KEY_FALLBACKS", [random_lower_string(), old])
    assert status(browser, headers) == 200
    response = browser.post(REFRESH)
    assert response.status_code == 200
    for token in (response.json()["access_token"], browser.cookies[COOKIE]):
        assert jwt.decode(token, new, audience=settings.SERVER_HOST)
    body = {"token": link, "new_password": random_lower_string()}
    assert browser.post(f"{API}/reset-password/", json=body).status_code == 200
