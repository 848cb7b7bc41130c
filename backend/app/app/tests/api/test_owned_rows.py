"""Behaviour of all resources with an owner: who may read and change which rows."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session

from app import crud
from app.core.config import settings
from app.db.session import SessionLocal
from app.main import app
from app.models import User
from app.tests.utils.sample_note import SAMPLE_NOTES, create_random_note, crud_sample_note
from app.tests.utils.user import auth_headers, create_random_user

MISSING_ID = 2**31 - 1


def test_created_row_belongs_to_caller(user_client: TestClient, db: Session, user: User) -> None:
    body = {"title": "A title", "price": "1234.5", "owner_id": 1, "unknown": "ignored"}
    response = user_client.post(SAMPLE_NOTES, json=body)
    assert response.status_code == 201
    # The response has the price and the currency as stored in the database.
    stored = {"title": "A title", "price": "1234.50", "currency": "EUR", "owner_id": user.id}
    assert response.json().items() >= stored.items()
    assert "unknown" not in response.json()
    assert crud_sample_note.get(db, response.json()["id"])


@pytest.mark.parametrize(
    ("full_name", "title"),
    [
        ("Ann Other", "Ann Other"),
        (None, None),
        ("", None),
        (" \t\n\u00a0", None),
        ("עברית", "עברית"),
    ],
)
def test_owner_is_named_everywhere(db: Session, full_name: str | None, title: str | None) -> None:
    """By the full name, or the email of a user without one."""
    user = create_random_user(db)
    crud.user.update(db, db_obj=user, obj_in={"full_name": full_name})
    client = TestClient(app, headers=auth_headers(user))
    created = client.post(SAMPLE_NOTES, json={"title": "A title"}).json()
    assert created["owner"] == {"id": user.id, "title": title or user.email}
    url = f"{SAMPLE_NOTES}{created['id']}"
    assert client.get(SAMPLE_NOTES).json() == [created] == [client.get(url).json()]
    for response in (client.put(url, json={}), client.delete(url)):
        assert response.json()["owner"] == created["owner"]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "🦊" * 255, "עברית", "{{ 7*7 }}"])
def test_texts_are_stored_unchanged(user_client: TestClient, text: str) -> None:
    created = user_client.post(SAMPLE_NOTES, json={"title": text, "text": text}).json()
    read = user_client.get(f"{SAMPLE_NOTES}{created['id']}").json()
    assert (read["title"], read["text"]) == (text, text)


def test_update_writes_only_sent_fields(user_client: TestClient, db: Session, user: User) -> None:
    note = create_random_note(db, owner_id=user.id, title="before", text="text")
    url = f"{SAMPLE_NOTES}{note.id}"
    response = user_client.put(url, json={"title": "after"})
    assert response.status_code == 200
    assert (response.json()["title"], response.json()["text"]) == ("after", "text")
    response = user_client.put(url, json={"text": None})
    assert (response.json()["title"], response.json()["text"]) == ("after", None)


CHANGED = {"detail": "The row was changed meanwhile", "code": "row_changed"}


def put_if(client: TestClient, url: str, tag: str | None, **body: str) -> Response:
    return client.put(
        url, json=body, headers={} if tag is None else {b"If-Match": tag.encode("latin-1")}
    )


@pytest.mark.parametrize("tag", [None, "*", '"{}"', ' "{}" ', '"2020-01-01T00:00:00Z", "{}"'])
def test_update_of_the_version_that_was_read(user_client: TestClient, tag: str | None) -> None:
    row = user_client.post(SAMPLE_NOTES, json={"title": "before"}).json()
    tag = tag and tag.format(row["updated_at"])
    response = put_if(user_client, f"{SAMPLE_NOTES}{row['id']}", tag, title="after")
    assert (response.status_code, response.json()["title"]) == (200, "after")


@pytest.mark.parametrize(
    "tag",
    ['"2020-01-01T00:00:00Z"', "", '""', "{}", 'W/"{}"', "'{}'", "now", '"*"', '"\u00ff"', "**"],
)
def test_stale_or_malformed_if_match_is_412(user_client: TestClient, tag: str) -> None:
    """A weak tag never matches (RFC 9110)."""
    row = user_client.post(SAMPLE_NOTES, json={"title": "before"}).json()
    url = f"{SAMPLE_NOTES}{row['id']}"
    response = put_if(user_client, url, tag.format(row["updated_at"]), title="after")
    assert (response.status_code, response.json()) == (412, CHANGED)
    assert user_client.get(url).json() == row


def test_permission_is_checked_before_if_match(user_client: TestClient, db: Session) -> None:
    note = create_random_note(db)
    assert put_if(user_client, f"{SAMPLE_NOTES}{note.id}", '"x"').status_code == 403


def test_update_without_a_change_keeps_the_version(committed_client: TestClient) -> None:
    """So it does not make the edits of others stale."""
    with SessionLocal.begin() as db:
        headers = auth_headers(create_random_user(db))
    committed_client.headers.update(headers)
    row = committed_client.post(SAMPLE_NOTES, json={"title": "a"}).json()
    url, tag = f"{SAMPLE_NOTES}{row['id']}", f'"{row["updated_at"]}"'
    assert put_if(committed_client, url, tag, title="a").json() == row
    assert put_if(committed_client, url, tag, title="b").json()["updated_at"] > row["updated_at"]
    assert put_if(committed_client, url, tag, title="c").status_code == 412


def test_one_of_concurrent_updates_of_a_version_succeeds(committed_client: TestClient) -> None:
    with SessionLocal.begin() as db:
        user = create_random_user(db)
        committed_client.headers.update(auth_headers(user))
    row = committed_client.post(SAMPLE_NOTES, json={"title": "0"}).json()
    url, tag = f"{SAMPLE_NOTES}{row['id']}", f'"{row["updated_at"]}"'
    with ThreadPoolExecutor(5) as pool:
        found = pool.map(
            lambda title: put_if(committed_client, url, tag, title=str(title)), range(1, 6)
        )
    assert sorted(response.status_code for response in found) == [200, 412, 412, 412, 412]


def test_null_in_required_field_is_422(user_client: TestClient, db: Session, user: User) -> None:
    """The database rejects NULL, too, but its error would be a 500."""
    note = create_random_note(db, owner_id=user.id)
    response = user_client.put(f"{SAMPLE_NOTES}{note.id}", json={"title": None})
    assert response.status_code == 422
    assert user_client.get(SAMPLE_NOTES).json()[0]["title"] == note.title


def test_delete_returns_row(user_client: TestClient, db: Session, user: User) -> None:
    note = create_random_note(db, owner_id=user.id)
    url = f"{SAMPLE_NOTES}{note.id}"
    response = user_client.delete(url)
    assert response.status_code == 200
    assert response.json()["title"] == note.title
    assert user_client.get(url).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_row_of_another_user_is_403(user_client: TestClient, db: Session, method: str) -> None:
    note = create_random_note(db, title="before")
    response = user_client.request(method, f"{SAMPLE_NOTES}{note.id}", json={"title": "after"})
    assert response.status_code == 403
    assert response.json() == {"detail": "Not enough permissions", "code": "permission_denied"}
    db.refresh(note)
    assert note.title == "before"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_superuser_may_access_all_rows(
    superuser_client: TestClient, db: Session, method: str
) -> None:
    note = create_random_note(db)
    response = superuser_client.request(method, f"{SAMPLE_NOTES}{note.id}", json={})
    assert (response.status_code, response.json()["id"]) == (200, note.id)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_missing_row_is_404(user_client: TestClient, method: str) -> None:
    response = user_client.request(method, f"{SAMPLE_NOTES}{MISSING_ID}", json={})
    assert response.status_code == 404
    assert response.json() == {"detail": "Sample note not found", "code": "not_found"}


def test_rows_are_deleted_with_owner(superuser_client: TestClient, db: Session) -> None:
    note = create_random_note(db)
    note_id, owner_id = note.id, note.owner_id
    url = f"{settings.API_V1_STR}/users/{owner_id}"
    assert superuser_client.delete(url).json()["id"] == owner_id
    db.expunge_all()
    assert crud.user.get(db, owner_id) is None
    assert crud_sample_note.get(db, note_id) is None


def test_concurrent_changes_and_deletes_cause_no_5xx(committed_client: TestClient) -> None:
    """Some requests delete the rows and their owner while others change the rows."""
    with SessionLocal.begin() as db:
        user, superuser = create_random_user(db), create_random_user(db, is_superuser=True)
        ids = [create_random_note(db, owner_id=user.id).id for _ in range(5)]

    def send(request: tuple[str, str, User]) -> int:
        method, url, by = request
        headers, body = auth_headers(by), {"title": "x"}
        return committed_client.request(method, url, headers=headers, json=body).status_code

    requests = [
        (method, f"{SAMPLE_NOTES}{each}", superuser) for each in ids for method in ("PUT", "DELETE")
    ]
    requests += [("POST", SAMPLE_NOTES, user)] * 5
    requests.insert(12, ("DELETE", f"{settings.API_V1_STR}/users/{user.id}", superuser))
    with ThreadPoolExecutor(len(requests)) as pool:
        assert set(pool.map(send, requests)) <= {200, 201, 401, 404}
