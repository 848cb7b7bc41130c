"""Malformed, forged and foreign tokens, cookies and other headers of sessions."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jose import jwt
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app import crud
from app.api.session_tokens import COOKIE, refresh_token
from app.core.config import settings
from app.models import User, UserSession
from app.tests.utils.user import access_token, bearer, create_random_user, start_session
from app.tests.utils.utils import random_lower_string

API = settings.API_V1_STR
LOGIN = f"{API}/login/access-token"
REFRESH = f"{API}/login/refresh"
LOGOUT = f"{API}/login/logout"
ME = f"{API}/users/me"
PASSWORD = "the right password"


@pytest.fixture
def user(db: Session) -> User:
    return create_random_user(db, password=PASSWORD)


def cookie(value: str, name: str = COOKIE) -> dict[str, Any]:
    return {"Cookie": f"{name}={value}".encode()}


def authorization(token: str) -> dict[str, Any]:
    return {"Authorization": f"Bearer {token}".encode()}


def encode(part: object) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def with_header(**header: object) -> Callable[[str], str]:
    return lambda good: ".".join([encode(header), *good.split(".")[1:]])


def with_claims(**changes: object) -> Callable[[str], str]:
    """Return a function that signs other claims with the right key. `...` removes a claim."""

    def change(good: str) -> str:
        claims = jwt.get_unverified_claims(good) | changes
        claims = {name: value for name, value in claims.items() if value is not ...}
        return jwt.encode(claims, settings.SECRET_KEY)

    return change


def with_key(key: str, algorithm: str = "HS256") -> Callable[[str], str]:
    return lambda good: jwt.encode(jwt.get_unverified_claims(good), key, algorithm=algorithm)


INVALID_VALUES: dict[str, object] = {"missing": ..., "null": None, "list": [], "number": -1}
BAD_TOKENS: dict[str, Callable[[str], str]] = {
    "text": lambda _: "nonsense",
    "dots": lambda _: "..",
    "not ASCII": lambda good: f"ä{good}",
    "quoted": lambda good: f'"{good}\\400"',
    "twice": lambda good: f"{good}{good}",
    "truncated": lambda good: good[:-1],
    "without a signature": lambda good: good.rpartition(".")[0] + ".",
    "without claims": lambda good: ".".join([good.split(".")[0], "", good.split(".")[2]]),
    "huge": lambda good: good + "x" * 100_000,
    "huge claim": with_claims(sub="1" * 50_000),
    "nested header": lambda good: f"{encode('[' * 50_000)[1:-1]}.{good.partition('.')[2]}",
    "algorithm none": with_header(alg="none"),
    "unsigned": lambda good: f"{with_header(alg='none')(good).rpartition('.')[0]}.",
    "algorithm null": with_header(alg=None),
    "algorithm list": with_header(alg=["HS256"]),
    "another algorithm": with_key(settings.SECRET_KEY, "HS512"),
    "another key": with_key(random_lower_string()),
    "expired": with_claims(exp=1),
    "never expires": with_claims(exp=None),
    **{
        f"{claim} {name}": with_claims(**{claim: value})
        for claim in ("exp", "iat", "sub", "aud", "purpose", "session", "fingerprint")
        for name, value in INVALID_VALUES.items()
    },
    "another installation": with_claims(aud="https://example.org"),
    "mailed link": with_claims(purpose="reset-password"),
    "another user": with_claims(sub="1"),
    "session is a text": with_claims(session="first"),
    "session is huge": with_claims(session=2**31),
    "generation null": with_claims(generation=None),
    "generation negative": with_claims(generation=-1),
    # Another clone on the same machine may have the same name and key, but not the same database.
    "another database": with_claims(fingerprint="0" * 32),
    "another database, used there": with_claims(fingerprint="0" * 32, generation=5),
    "another database, missing here": with_claims(session=2**31 - 1),
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_bad_token_is_401_and_ends_nothing(client: TestClient, user: User, kind: str) -> None:
    session, make = start_session(user), BAD_TOKENS[kind]
    access, refresh = access_token(session), refresh_token(session)
    assert client.get(ME, headers=authorization(make(access))).status_code == 401
    response = client.post(REFRESH, headers=cookie(make(refresh)))
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")
    for headers in (authorization(make(access)), cookie(make(refresh))):
        assert client.post(LOGOUT, headers=headers).status_code == 200
    assert client.get(ME, headers=authorization(access)).status_code == 200


def test_tokens_are_valid_for_one_purpose(client: TestClient, user: User) -> None:
    session = start_session(user)
    access, refresh = access_token(session), refresh_token(session)
    assert client.get(ME, headers=authorization(refresh)).status_code == 401
    assert client.post(REFRESH, headers=cookie(access)).status_code == 401
    for headers in (authorization(refresh), cookie(access)):
        assert client.post(LOGOUT, headers=headers).status_code == 200
    assert client.get(ME, headers=authorization(access)).status_code == 200


@pytest.mark.parametrize("state", ["ended", "deleted"])
def test_tokens_of_ended_sessions_are_401(
    client: TestClient, user: User, db: Session, state: str
) -> None:
    session = start_session(user)
    access, refresh = access_token(session), refresh_token(session)
    if state == "ended":
        crud.session.end(db, owner_id=user.id)
    else:
        db.execute(delete(UserSession))
    assert client.get(ME, headers=authorization(access)).status_code == 401
    assert client.post(REFRESH, headers=cookie(refresh)).status_code == 401
    for headers in (authorization(access), cookie(refresh)):
        assert client.post(LOGOUT, headers=headers).status_code == 200
    form = {"username": user.email, "password": PASSWORD}
    headers = cookie(refresh) | {"X-Session": "cookie"}
    assert client.post(LOGIN, data=form, headers=headers).status_code == 200


def test_clock_of_another_server_may_be_fast(client: TestClient, user: User) -> None:
    """A token that was issued a minute in the future is accepted."""
    session = start_session(user)
    now = jwt.get_unverified_claims(access_token(session))["iat"]
    skewed = with_claims(iat=now + 60)
    assert client.get(ME, headers=authorization(skewed(access_token(session)))).status_code == 200
    assert client.post(REFRESH, headers=cookie(skewed(refresh_token(session)))).status_code == 200


@pytest.mark.parametrize(
    ("header", "statuses"),
    [
        # Browsers send two cookies if they differ in path or domain. The last one is used.
        ("{name}=x; {name}={good}", {200}),
        ("{name}={good}; {name}=x", {401}),
        ("{name}={good}; {name}={good}", {200}),
        ("another-clone-8001-session=x; {name}={good}", {200}),
        ("another-clone-8001-session={good}", {401}),
        ("{name}; {name}={good}", {200}),
        ("=; ;;, {name}={good}", {200, 401}),
        ("{name}", {401}),
        ("{name}=", {401}),
        ("{good}", {401}),
        ("x=" + "x" * 100_000 + "; {name}={good}", {200}),
        ("{name}=" + "x" * 100_000, {401}),
        ("{name}=\xff\x01", {401}),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_odd_cookies_cause_no_server_error(
    client: TestClient, user: User, header: str, statuses: set[int]
) -> None:
    good = refresh_token(start_session(user))
    raw = header.format(name=COOKIE, good=good).encode("latin-1")
    headers: dict[str, Any] = {"Cookie": raw}
    assert client.post(REFRESH, headers=headers).status_code in statuses
    assert client.post(LOGOUT, headers=headers).status_code == 200


@pytest.mark.parametrize("value", ["", "Cookie", "cookies", "cookie, cookie", "true", "x" * 10_000])
def test_unknown_kind_of_session_is_422(client: TestClient, user: User, value: str) -> None:
    form = {"username": user.email, "password": PASSWORD}
    response = client.post(LOGIN, data=form, headers={"X-Session": value})
    assert (response.status_code, response.json()["code"]) == (422, "validation_error")
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("x" * 10_000, "x" * 255),
        ("a\x01\x1b[31m\x7f\tb", "a[31mb"),
        ("<b>{{ 7*7 }}", "<b>{{ 7*7 }}"),
        ("", ""),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_user_agent_is_shortened_and_printable(
    client: TestClient, user: User, agent: str, shown: str
) -> None:
    form = {"username": user.email, "password": PASSWORD}
    headers = {"User-Agent": agent}
    token = client.post(LOGIN, data=form, headers=headers).json()["access_token"]
    (session,) = client.get(f"{ME}/sessions", headers=bearer(token)).json()
    assert session["user_agent"] == shown


@pytest.mark.parametrize("path", [LOGIN, REFRESH, LOGOUT])
@pytest.mark.parametrize(
    ("origin", "accepted"),
    [
        ("http://testserver", True),
        ("https://testserver", True),  # A proxy decrypts the requests.
        ("https://example.com", True),  # in BACKEND_CORS_ORIGINS
        ("https://example.com.evil.example", False),
        ("http://testserver.evil.example", False),
        ("http://testserver:8443", False),
        ("https://example.com/", False),
        ("http://user@testserver", False),
        ("testserver", False),
        ("null", False),
        ("", False),
        ("http://[", False),
        ("://", False),
        ("\xff", False),
        ("x" * 10_000, False),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_foreign_origin_is_403(
    client: TestClient, user: User, db: Session, path: str, origin: str, accepted: bool
) -> None:
    """The page of another origin can neither log in, nor refresh, nor log out."""
    session = start_session(user)
    form = {"username": user.email, "password": PASSWORD}
    headers = cookie(refresh_token(session)) | {"Origin": origin.encode(), "X-Session": "cookie"}
    response = client.post(path, data=form if path == LOGIN else None, headers=headers)
    if accepted:
        assert response.status_code == 200
    else:
        assert (response.status_code, response.json()["code"]) == (403, "foreign_origin")
        assert "set-cookie" not in response.headers
        assert client.get(ME, headers=authorization(access_token(session))).status_code == 200
        db.refresh(session)
        assert session.generation == 0
        assert len(crud.session.get_active(db, user.id)) == 1
