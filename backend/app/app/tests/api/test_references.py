"""Rows that refer to other rows: who may refer to what, and what a deletion does."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.config import settings
from app.db.session import SessionLocal
from app.models import User
from app.tests.utils.sample_note import (
    SAMPLE_NOTES,
    SampleComment,
    SampleNote,
    create_random_note,
    crud_sample_note,
)
from app.tests.utils.user import auth_headers, create_random_user

MISSING_ID = 2**31 - 1


def request_with(client: TestClient, note: SampleNote | None, **fields: Any) -> Any:
    """Create a note, or update the given one."""
    if note is None:
        return client.post(SAMPLE_NOTES, json={"title": "A title"} | fields)
    return client.put(f"{SAMPLE_NOTES}{note.id}", json=fields)


@pytest.fixture(params=["create", "update"])
def own_note(request: pytest.FixtureRequest, db: Session, user: User) -> SampleNote | None:
    return None if request.param == "create" else create_random_note(db, owner_id=user.id)


def test_response_contains_title_of_reference(
    user_client: TestClient, db: Session, user: User, own_note: SampleNote | None
) -> None:
    target = create_random_note(db, owner_id=user.id)
    response = request_with(user_client, own_note, next_id=target.id)
    expected = {"next_id": target.id, "next": {"id": target.id, "title": target.title}}
    assert response.json().items() >= expected.items()
    read = user_client.get(f"{SAMPLE_NOTES}{response.json()['id']}").json()
    assert read == response.json()
    listed = user_client.get(SAMPLE_NOTES, params={"sort": "next"}).json()
    assert listed[0] == read
    assert listed[1]["next"] is None


def test_list_is_sorted_by_title_of_reference(
    user_client: TestClient, db: Session, user: User
) -> None:
    targets = [create_random_note(db, owner_id=user.id, title=title) for title in ("b", "a")]
    notes = [create_random_note(db, owner_id=user.id, next_id=target.id) for target in targets]
    listed = user_client.get(SAMPLE_NOTES, params={"sort": "next"}).json()
    assert [note["id"] for note in listed[:2]] == [notes[1].id, notes[0].id]


def test_rows_for_superusers_are_hidden(
    user_client: TestClient,
    superuser_client: TestClient,
    db: Session,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(type(crud_sample_note), "readers", "superusers")
    note = create_random_note(db, owner_id=user.id)
    for url in (SAMPLE_NOTES, f"{SAMPLE_NOTES}{note.id}"):
        assert user_client.get(url).status_code == 403
        assert superuser_client.get(url).status_code == 200


def test_reference_can_be_removed(user_client: TestClient, db: Session, user: User) -> None:
    target = create_random_note(db, owner_id=user.id)
    note = create_random_note(db, owner_id=user.id, next_id=target.id)
    response = request_with(user_client, note, next_id=None)
    assert (response.json()["next_id"], response.json()["next"]) == (None, None)


def test_reference_to_missing_row_is_404(
    user_client: TestClient, own_note: SampleNote | None
) -> None:
    response = request_with(user_client, own_note, next_id=MISSING_ID)
    assert response.status_code == 404
    assert response.json() == {
        "detail": "Sample note not found",
        "code": "not_found",
        "field": "next_id",
    }


def test_reference_to_row_of_another_user_is_403(
    user_client: TestClient, db: Session, own_note: SampleNote | None
) -> None:
    target = create_random_note(db)
    response = request_with(user_client, own_note, next_id=target.id)
    assert response.status_code == 403
    assert response.json()["code"] == "permission_denied"
    assert response.json()["field"] == "next_id"


def test_unchanged_reference_is_not_checked(
    user_client: TestClient, superuser_client: TestClient, db: Session, user: User
) -> None:
    """A superuser may set a reference that the owner may not set."""
    note, target = create_random_note(db, owner_id=user.id), create_random_note(db)
    assert request_with(superuser_client, note, next_id=target.id).status_code == 200
    response = request_with(user_client, note, title="after", next_id=target.id)
    assert (response.status_code, response.json()["title"]) == (200, "after")


def test_readable_rows_of_others_may_be_referenced(
    user_client: TestClient, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(crud_sample_note), "readers", "users")
    target = create_random_note(db)
    response = request_with(user_client, None, next_id=target.id)
    assert response.json()["next"] == {"id": target.id, "title": target.title}
    assert user_client.get(f"{SAMPLE_NOTES}{target.id}").status_code == 200
    assert target.id in [note["id"] for note in user_client.get(SAMPLE_NOTES).json()]
    for method in ("PUT", "DELETE"):
        response = user_client.request(method, f"{SAMPLE_NOTES}{target.id}", json={})
        assert response.status_code == 403


@pytest.mark.parametrize("missing", [False, True])
def test_only_superusers_refer_to_users(
    user_client: TestClient, superuser_client: TestClient, user: User, missing: bool
) -> None:
    reviewer_id = MISSING_ID if missing else user.id
    response = request_with(user_client, None, reviewer_id=reviewer_id)
    assert (response.status_code, response.json()["field"]) == (403, "reviewer_id")
    response = request_with(superuser_client, None, reviewer_id=reviewer_id)
    assert response.status_code == (404 if missing else 201)


def test_only_superusers_remove_a_reference_to_a_user(
    user_client: TestClient, superuser_client: TestClient, db: Session, user: User
) -> None:
    note = create_random_note(db, owner_id=user.id, reviewer_id=user.id)
    response = request_with(user_client, note, reviewer_id=None)
    assert (response.status_code, response.json()["field"]) == (403, "reviewer_id")
    assert request_with(user_client, note, title="after").status_code == 200
    response = request_with(superuser_client, note, reviewer_id=None)
    assert response.json()["reviewer_id"] is None


def test_rows_that_start_to_refer_to_each_other_cause_no_deadlock(
    committed_client: TestClient,
) -> None:
    with SessionLocal.begin() as db:
        user = create_random_user(db)
        notes = [create_random_note(db, owner_id=user.id).id for _ in range(2)]
    headers = auth_headers(user)

    def refer(note: int, target: int | None) -> int:
        body = {"next_id": target}
        url = f"{SAMPLE_NOTES}{note}"
        return committed_client.put(url, headers=headers, json=body).status_code

    with ThreadPoolExecutor(2) as pool:
        for targets in [(notes[1], notes[0]), (None, None)] * 10:
            assert list(pool.map(refer, notes, targets)) == [200, 200]


def test_deleting_a_row_removes_optional_references(
    user_client: TestClient, db: Session, user: User
) -> None:
    target = create_random_note(db, owner_id=user.id)
    note = create_random_note(db, owner_id=user.id, next_id=target.id)
    assert user_client.delete(f"{SAMPLE_NOTES}{target.id}").status_code == 200
    read = user_client.get(f"{SAMPLE_NOTES}{note.id}").json()
    assert (read["next_id"], read["next"]) == (None, None)


def test_deleting_a_required_row_is_409(user_client: TestClient, db: Session, user: User) -> None:
    note = create_random_note(db, owner_id=user.id)
    comment = SampleComment(note_id=note.id, owner_id=user.id)
    db.add(comment)
    db.flush()
    response = user_client.delete(f"{SAMPLE_NOTES}{note.id}")
    assert response.status_code == 409
    assert response.json()["code"] == "still_referenced"
    db.delete(comment)
    db.flush()
    assert user_client.delete(f"{SAMPLE_NOTES}{note.id}").status_code == 200


def test_user_can_be_deleted_despite_references(committed_client: TestClient) -> None:
    """Rows of others lose an optional reference, and are deleted with a required one."""
    with SessionLocal.begin() as db:
        superuser = create_random_user(db, is_superuser=True)
        leaving, other = create_random_user(db), create_random_user(db)
        target = create_random_note(db, owner_id=leaving.id)
        note = create_random_note(db, owner_id=other.id, next_id=target.id, reviewer_id=leaving.id)
        comment = SampleComment(note_id=target.id, owner_id=other.id)
        db.add(comment)
    url = f"{settings.API_V1_STR}/users/{leaving.id}"
    response = committed_client.delete(url, headers=auth_headers(superuser))
    assert response.status_code == 200
    with SessionLocal() as db:
        remaining = crud_sample_note.get(db, note.id)
        assert remaining is not None
        assert (remaining.next_id, remaining.reviewer_id) == (None, None)
        assert db.get(SampleComment, comment.id) is None
