from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import crud
from app.core import security
from app.core.config import settings
from app.db.session import SessionLocal
from app.models import User
from app.tests.utils.user import auth_headers, create_random_user
from app.tests.utils.utils import random_email, random_lower_string

USERS = f"{settings.API_V1_STR}/users"
ME = f"{USERS}/me"
PASSWORD = "the right password"


def test_read_superuser_me(client: TestClient, superuser_token_headers: dict[str, str]) -> None:
    user = client.get(ME, headers=superuser_token_headers).json()
    assert user["email"] == settings.FIRST_SUPERUSER
    assert user["is_active"] is True
    assert user["is_superuser"] is True
    assert "hashed_password" not in user


def test_read_user_me(client: TestClient, normal_user_token_headers: dict[str, str]) -> None:
    user = client.get(ME, headers=normal_user_token_headers).json()
    assert user["email"] == settings.EMAIL_TEST_USER
    assert user["is_active"] is True
    assert user["is_superuser"] is False


def test_create_user(superuser_client: TestClient, db: Session) -> None:
    body = {
        "email": random_email(),
        "password": random_lower_string(),
        "full_name": "A Name",
        "is_active": False,
        "is_superuser": True,
    }
    response = superuser_client.post(f"{USERS}/", json=body | {"unknown": "ignored"})
    assert response.status_code == 201
    user = crud.user.get_by_email(db, email=str(body.pop("email")))
    assert user is not None
    assert security.verify_password(str(body.pop("password")), user.hashed_password)
    assert response.json().items() >= (body | {"id": user.id, "email": user.email}).items()
    assert not {"password", "hashed_password", "unknown"} & set(response.json())


@pytest.mark.parametrize(
    "change",
    [
        {"email": None},
        {"email": "not an email"},
        {"email": "x" * 250 + "@example.com"},
        {"email": "nul\0@example.com"},
        {"email": "é@example.com"},
        {"password": None},
        {"password": "short"},
        {"password": "x" * 129},
        {"password": "nul\0in password"},
        {"full_name": "x" * 256},
        {"full_name": "nul\0"},
        {"is_active": "perhaps"},
    ],
)
def test_create_user_rejects_invalid_fields(
    superuser_client: TestClient, change: dict[str, Any]
) -> None:
    body = {"email": random_email(), "password": PASSWORD} | change
    response = superuser_client.post(f"{USERS}/", json=body)
    assert response.status_code == 422
    assert response.json()["code"] == "validation_error"
    # The response contains the limits, but not the input, which may be a password.
    for problem in response.json()["detail"]:
        assert set(problem) - {"ctx"} == {"type", "loc", "msg"}
        assert all(isinstance(limit, int) for limit in problem.get("ctx", {}).values())


@pytest.mark.parametrize(
    "content",
    [
        b'{"email": "a@example.com", "password": "a good one", "full_name": "\\ud800"}',
        b"",
        b"null",
        b"[]",
        b"{",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_create_user_rejects_malformed_body(superuser_client: TestClient, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = superuser_client.post(f"{USERS}/", headers=headers, content=content)
    assert response.status_code == 422


@pytest.mark.parametrize("declared", [True, False])
def test_create_user_rejects_huge_body(superuser_client: TestClient, declared: bool) -> None:
    content = b'{"email": "' + b"x" * 2_000_000
    response = superuser_client.post(
        f"{USERS}/",
        headers={"Content-Type": "application/json"},
        content=content if declared else iter([content]),
    )
    assert response.status_code == 413
    assert response.json()["detail"]


def test_create_user_rejects_existing_email(superuser_client: TestClient, db: Session) -> None:
    body = {"email": create_random_user(db).email.upper(), "password": random_lower_string()}
    response = superuser_client.post(f"{USERS}/", json=body)
    assert response.status_code == 409
    assert response.json() == {
        "detail": "The user with this username already exists in the system",
        "code": "email_taken",
        "field": "email",
    }


def test_only_one_of_concurrent_creates_gets_the_email(committed_client: TestClient) -> None:
    with SessionLocal.begin() as db:
        headers = auth_headers(create_random_user(db, is_superuser=True))
    body = {"email": random_email(), "password": random_lower_string()}

    def create(_: int) -> int:
        return committed_client.post(f"{USERS}/", headers=headers, json=body).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(create, range(6)))
    assert statuses == [201, 409, 409, 409, 409, 409]


def test_only_one_of_concurrent_changes_gets_the_email(committed_client: TestClient) -> None:
    with SessionLocal.begin() as db:
        headers = auth_headers(create_random_user(db, is_superuser=True))
        users = [create_random_user(db) for _ in range(4)]
    body = {"email": random_email()}

    def change(user: User) -> int:
        url = f"{USERS}/{user.id}"
        return committed_client.put(url, headers=headers, json=body).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(change, users)) == [200, 409, 409, 409]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("POST", "/"),
        ("GET", "/1"),
        ("PUT", "/1"),
        ("DELETE", "/1"),
    ],
)
def test_user_administration_requires_superuser(
    user_client: TestClient, method: str, path: str
) -> None:
    body = {"email": random_email(), "password": random_lower_string()}
    response = user_client.request(method, USERS + path, json=body)
    assert response.status_code == 403
    assert response.json() == {
        "detail": "The user doesn't have enough privileges",
        "code": "superuser_required",
    }


def test_retrieve_users(superuser_client: TestClient, db: Session) -> None:
    name = random_lower_string()
    users = [create_random_user(db, full_name=f"{name} {number}") for number in range(3)]
    response = superuser_client.get(f"{USERS}/", params={"q": name.upper(), "sort": "-id"})
    assert response.status_code == 200
    assert response.headers["X-Total-Count"] == "3"
    assert [user["id"] for user in response.json()] == [user.id for user in reversed(users)]
    assert response.json()[0] == superuser_client.get(f"{USERS}/{users[2].id}").json()


def test_get_user(user: User, user_client: TestClient, superuser_client: TestClient) -> None:
    url = f"{USERS}/{user.id}"
    by_superuser = superuser_client.get(url).json()
    assert by_superuser["email"] == user.email
    assert by_superuser == user_client.get(url).json() == user_client.get(ME).json()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_missing_user_is_404(superuser_client: TestClient, method: str) -> None:
    response = superuser_client.request(method, f"{USERS}/2147483647", json={})
    assert response.status_code == 404
    assert response.json() == {
        "detail": "The user with this username does not exist in the system",
        "code": "not_found",
    }


@pytest.mark.parametrize("user_id", ["0", "-1", "x", "1.5", "2147483648", "9" * 100])
def test_invalid_user_id_is_422(superuser_client: TestClient, user_id: str) -> None:
    response = superuser_client.get(f"{USERS}/{user_id}")
    assert response.status_code == 422


def test_update_user(superuser_client: TestClient, db: Session) -> None:
    user = create_random_user(db, full_name="Before")
    body = {"is_superuser": True, "full_name": None, "password": PASSWORD}
    response = superuser_client.put(f"{USERS}/{user.id}", json=body)
    assert response.status_code == 200
    changed = {"id": user.id, "email": user.email, "full_name": None, "is_superuser": True}
    assert response.json().items() >= changed.items()
    db.expire_all()
    assert security.verify_password(PASSWORD, user.hashed_password)


def test_update_rejects_existing_email(superuser_client: TestClient, db: Session) -> None:
    user, other = create_random_user(db), create_random_user(db)
    body = {"email": user.email.upper()}
    assert superuser_client.put(f"{USERS}/{other.id}", json=body).status_code == 409


def test_delete_user(superuser_client: TestClient, db: Session) -> None:
    user_id = create_random_user(db).id
    url = f"{USERS}/{user_id}"
    response = superuser_client.delete(url)
    assert (response.status_code, response.json()["id"]) == (200, user_id)
    assert superuser_client.get(url).status_code == 404


def test_update_me_writes_only_sent_fields(client: TestClient, db: Session) -> None:
    user = create_random_user(db, password=PASSWORD, full_name="Before")
    for body, name in (
        ({"full_name": "After"}, "After"),
        ({}, "After"),
        ({"full_name": None}, None),
    ):
        response = client.put(ME, headers=auth_headers(user), json=body)
        assert response.status_code == 200
        assert response.json()["full_name"] == name
        assert response.json()["email"] == user.email

    body = {"password": "new password", "current_password": PASSWORD}
    headers = auth_headers(user)
    assert client.put(ME, headers=headers, json=body).status_code == 200
    assert client.get(ME, headers=headers).status_code == 401
    db.expire_all()
    assert security.verify_password("new password", user.hashed_password)


@pytest.mark.parametrize("field", ["email", "password"])
def test_update_me_requires_current_password(client: TestClient, db: Session, field: str) -> None:
    user = create_random_user(db, password=PASSWORD)
    body: dict[str, str | None] = {field: random_email()}
    for wrong in ({}, {"current_password": None}, {"current_password": "wrong password"}):
        response = client.put(ME, headers=auth_headers(user), json=body | wrong)
        assert response.status_code == 400
        assert response.json() == {
            "detail": "Incorrect password",
            "code": "incorrect_password",
            "field": "current_password",
        }


def test_update_me_accepts_unchanged_email(client: TestClient, db: Session) -> None:
    user = create_random_user(db)
    response = client.put(ME, headers=auth_headers(user), json={"email": user.email.upper()})
    assert response.status_code == 200
    assert response.json()["email"] == user.email


@pytest.mark.parametrize(
    "body",
    [
        {"email": None},
        {"password": None},
        {"password": "short"},
        {"password": "a password", "current_password": "nul\0"},
    ],
)
def test_update_me_rejects_invalid_fields(user_client: TestClient, body: dict[str, Any]) -> None:
    response = user_client.put(ME, json=body)
    assert response.status_code == 422


def test_update_me_ignores_is_superuser(user_client: TestClient) -> None:
    body = {"is_superuser": True, "full_name": "A Name"}
    response = user_client.put(ME, json=body)
    assert response.json()["is_superuser"] is False


def test_delete_me(client: TestClient, db: Session) -> None:
    user = create_random_user(db, password=PASSWORD)
    headers = auth_headers(user)
    wrong = client.request("DELETE", ME, headers=headers, json={"current_password": "wrong"})
    assert (wrong.status_code, wrong.json()["detail"]) == (400, "Incorrect password")
    right = client.request("DELETE", ME, headers=headers, json={"current_password": PASSWORD})
    assert right.status_code == 200
    assert right.json()["email"] == user.email
    assert client.get(ME, headers=headers).status_code == 401


@pytest.mark.parametrize(
    "body",
    [{}, {"current_password": None}, {"current_password": ""}, {"current_password": "wrong"}],
)
def test_change_of_own_account_by_id_requires_current_password(
    client: TestClient, db: Session, body: dict[str, str | None]
) -> None:
    user = create_random_user(db, password=PASSWORD, is_superuser=True)
    before = user.hashed_password, user.email
    url, headers = f"{USERS}/{user.id}", auth_headers(user)
    for response in (
        client.put(url, headers=headers, json=body | {"password": "another password"}),
        client.put(url, headers=headers, json=body | {"email": random_email()}),
        client.put(url, headers=headers, json=body | {"email": random_email(), "full_name": "x"}),
        client.request("DELETE", url, headers=headers, json=body),
        client.delete(url, headers=headers),
    ):
        assert response.status_code == 400
        assert response.json() == {
            "detail": "Incorrect password",
            "code": "incorrect_password",
            "field": "current_password",
        }
    db.refresh(user)
    assert (user.hashed_password, user.email, user.full_name) == (*before, None)


def test_change_of_own_account_by_id_accepts_current_password(
    client: TestClient, db: Session
) -> None:
    user = create_random_user(db, password=PASSWORD, is_superuser=True)
    url, right = f"{USERS}/{user.id}", {"current_password": PASSWORD}
    unchanged = {"full_name": "After", "email": user.email.upper(), "is_active": True}
    assert client.put(url, headers=auth_headers(user), json=unchanged).status_code == 200
    for change in ({"email": random_email()}, {"password": "another password"}):
        assert client.put(url, headers=auth_headers(user), json=change | right).status_code == 200
        db.refresh(user)
    right = {"current_password": "another password"}
    response = client.request("DELETE", url, headers=auth_headers(user), json=right)
    assert response.status_code == 200
    assert response.json()["id"] == user.id


@pytest.mark.parametrize("body", [None, {}, {"current_password": "whatever"}])
def test_change_of_other_accounts_requires_no_current_password(
    superuser_client: TestClient,
    db: Session,
    body: dict[str, str] | None,
) -> None:
    user = create_random_user(db)
    url, email = f"{USERS}/{user.id}", random_email()
    change = {"password": PASSWORD, "email": email} | (body or {})
    response = superuser_client.put(url, json=change)
    assert response.json()["email"] == email
    response = superuser_client.request("DELETE", url, json=body)
    assert response.status_code == 200


def test_last_superuser_is_protected(superuser: User, superuser_client: TestClient) -> None:
    url = f"{USERS}/{superuser.id}"
    password = {"current_password": settings.FIRST_SUPERUSER_PASSWORD}
    for response in (
        superuser_client.put(url, json={"is_superuser": False}),
        superuser_client.put(url, json={"is_active": False}),
        superuser_client.put(url, json={"is_verified": False}),
        superuser_client.request("DELETE", url, json=password),
        superuser_client.request("DELETE", ME, json=password),
    ):
        assert response.status_code == 409
        assert response.json() == {
            "detail": "The last superuser can't be removed",
            "code": "last_superuser",
        }


def test_concurrent_demotions_leave_one_superuser(committed_client: TestClient) -> None:
    with SessionLocal.begin() as db:
        first = crud.user.get_by_email(db, email=settings.FIRST_SUPERUSER)
        assert first is not None
        second = create_random_user(db, is_superuser=True)

    def demote(users: tuple[User, User]) -> int:
        by, user = users
        url = f"{USERS}/{user.id}"
        body = {"is_superuser": False}
        return committed_client.put(url, headers=auth_headers(by), json=body).status_code

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(demote, [(first, second), (second, first)]))
    with SessionLocal.begin() as db:
        users = crud.user.get_multi(db)
        assert sum(user.is_superuser for user in users) == 1
        crud.user.update(db, db_obj=users[0], obj_in={"is_superuser": True})
    # The slower request gets 409 for the last superuser, or 403 if its sender was demoted before.
    assert sorted(statuses) in ([200, 403], [200, 409])


def test_stale_update_of_a_user_is_412(superuser_client: TestClient, db: Session) -> None:
    user = create_random_user(db, full_name="Before")
    url = f"{USERS}/{user.id}"
    read = superuser_client.get(url).json()
    headers = {"If-Match": '"2020-01-01T00:00:00Z"'}
    response = superuser_client.put(url, json={"full_name": "After"}, headers=headers)
    assert (response.status_code, response.json()["code"]) == (412, "row_changed")
    assert superuser_client.get(url).json() == read
    headers = {"If-Match": f'"{read["updated_at"]}"'}
    response = superuser_client.put(url, json={"full_name": "After"}, headers=headers)
    assert (response.status_code, response.json()["full_name"]) == (200, "After")


def test_filter_users(superuser_client: TestClient, db: Session) -> None:
    word = random_lower_string()
    kinds: list[dict[str, bool]] = [
        {},
        {"is_active": False},
        {"is_superuser": True},
        {"is_verified": False},
    ]
    ids = [create_random_user(db, full_name=word, **kind).id for kind in kinds]
    for params, found in (
        ({}, ids),
        ({"is_active": True, "is_superuser": False}, [ids[0], ids[3]]),
        *((kind, [each]) for kind, each in list(zip(kinds, ids, strict=True))[1:]),
    ):
        response = superuser_client.get(f"{USERS}/", params={"q": word, **params})
        assert [row["id"] for row in response.json()] == found
        assert response.headers["X-Total-Count"] == str(len(found))
