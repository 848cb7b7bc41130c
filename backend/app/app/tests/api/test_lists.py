"""Behaviour of all lists: paging, sorting, search and totals."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.crud.base import CRUDBase
from app.models import User
from app.tests.utils.sample_note import (
    SAMPLE_NOTES,
    SampleNote,
    create_random_note,
    crud_sample_note,
)
from app.tests.utils.user import create_random_user
from app.tests.utils.utils import random_email, random_lower_string


@pytest.fixture
def own_notes(db: Session, user: User) -> list[SampleNote]:
    """Five notes of the user, and one of another user."""
    other = create_random_note(db)
    rows = [("b", None), ("a", "x"), ("c", "y"), ("a", None), ("b", "z")]
    notes = [
        create_random_note(db, owner_id=user.id, title=title, text=text) for title, text in rows
    ]
    # An updated row moves behind the others, on disk and in the index. A list without ORDER BY
    # would then be in the wrong order.
    for owner_id in (other.owner_id, user.id):
        crud_sample_note.update(db, db_obj=notes[0], obj_in={"owner_id": owner_id})
    return notes


def test_users_list_only_own_rows(user_client: TestClient, own_notes: list[SampleNote]) -> None:
    response = user_client.get(SAMPLE_NOTES)
    assert [note["id"] for note in response.json()] == [note.id for note in own_notes]
    assert response.headers["X-Total-Count"] == "5"


def test_superusers_list_all_rows(superuser_client: TestClient, db: Session) -> None:
    notes = [create_random_note(db), create_random_note(db)]
    response = superuser_client.get(SAMPLE_NOTES, params={"q": notes[0].title})
    assert [note["id"] for note in response.json()] == [notes[0].id]


def test_list_rows_equal_single_reads(user_client: TestClient, db: Session, user: User) -> None:
    note = create_random_note(db, owner_id=user.id, price=Decimal("1234.5"))
    (listed,) = user_client.get(SAMPLE_NOTES).json()
    assert listed["price"] == "1234.50"
    assert listed == user_client.get(f"{SAMPLE_NOTES}{note.id}").json()


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("id", [0, 1, 2, 3, 4]),
        ("-id", [4, 3, 2, 1, 0]),
        ("title", [1, 3, 0, 4, 2]),
        ("-title", [2, 0, 4, 1, 3]),
        ("text", [1, 2, 4, 0, 3]),
        ("-text", [4, 2, 1, 0, 3]),
        ("owner_id", [0, 1, 2, 3, 4]),
    ],
)
def test_sort_breaks_ties_by_id(
    user_client: TestClient, own_notes: list[SampleNote], sort: str, order: list[int]
) -> None:
    """NULLs come last in both directions."""
    response = user_client.get(SAMPLE_NOTES, params={"sort": sort})
    assert [note["id"] for note in response.json()] == [own_notes[i].id for i in order]


def test_sort_by_owner_uses_the_name(superuser_client: TestClient, db: Session) -> None:
    word = random_lower_string()
    email = f"{word}.c@example.com"
    for name in (f"{word} b", f"{word} a", None):
        owner = create_random_user(
            db, full_name=name, email=email if name is None else random_email()
        )
        create_random_note(db, owner_id=owner.id, title=word)
    params = {"q": word, "sort": "-owner"}
    titles = [
        row["owner"]["title"] for row in superuser_client.get(SAMPLE_NOTES, params=params).json()
    ]
    assert titles == sorted([f"{word} b", f"{word} a", email], reverse=True)


def test_links_lead_through_all_pages(user_client: TestClient, own_notes: list[SampleNote]) -> None:
    seen = []
    url = f"{SAMPLE_NOTES}?limit=2&sort=-id"
    for links in ({"first", "next"}, {"first", "prev", "next"}, {"first", "prev"}):
        response = user_client.get(url)
        seen += [note["id"] for note in response.json()]
        assert set(response.links) == links
        assert response.headers["X-Total-Count"] == "5"
        if "next" in response.links:
            url = urljoin(url, response.links["next"]["url"])
    assert seen == [note.id for note in reversed(own_notes)]
    back = user_client.get(urljoin(url, response.links["prev"]["url"]))
    assert [note["id"] for note in back.json()] == seen[2:4]


def test_page_past_end_is_empty(user_client: TestClient, own_notes: list[SampleNote]) -> None:
    response = user_client.get(SAMPLE_NOTES, params={"skip": 50})
    assert response.json() == []
    assert response.headers["X-Total-Count"] == str(len(own_notes))
    assert "prev" in response.links


def test_empty_list_has_total_of_zero(user_client: TestClient) -> None:
    response = user_client.get(SAMPLE_NOTES, params={"q": random_lower_string()})
    assert response.json() == []
    assert response.headers["X-Total-Count"] == "0"


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"status": "done"}, [1, 2]),
        ({"is_public": "true"}, [2]),
        ({"is_public": "false", "status": "done"}, [1]),
        ({"status": "open", "q": "y"}, []),
        ({"created_since": "2026-01-01T00:00:00Z"}, [0, 1]),
        ({"created_since": "2025-01-01T01:00:00+01:00", "sort": "-id"}, [2, 1, 0]),
        ({"created_since": "9999-12-31T00:00:00Z"}, []),
        ({"status": "done", "created_since": "2026-01-01T00:00:00Z"}, [1]),
    ],
)
def test_filters(
    user_client: TestClient, db: Session, user: User, params: dict[str, str], found: list[int]
) -> None:
    create_random_note(db, status="done", is_public=True)
    values: list[dict[str, Any]] = [{}, {"status": "done"}, {"status": "done", "is_public": True}]
    notes = [create_random_note(db, owner_id=user.id, **each) for each in values]
    old = {"created_at": datetime(2025, 1, 1, tzinfo=UTC)}
    crud_sample_note.update(db, db_obj=notes[2], obj_in=old)
    response = user_client.get(SAMPLE_NOTES, params=params)
    assert [note["id"] for note in response.json()] == [notes[i].id for i in found]
    assert response.headers["X-Total-Count"] == str(len(found))


def test_nobody_filters_for_more_rows(
    user_client: TestClient, superuser_client: TestClient, db: Session, user: User
) -> None:
    own, others = create_random_note(db, owner_id=user.id), create_random_note(db)
    for client, owner_id, ids in (
        (user_client, user.id, [own.id]),
        (user_client, others.owner_id, []),
        (superuser_client, others.owner_id, [others.id]),
    ):
        response = client.get(SAMPLE_NOTES, params={"owner_id": owner_id})
        assert [note["id"] for note in response.json()] == ids
        assert response.headers["X-Total-Count"] == str(len(ids))


def test_links_keep_the_filters(user_client: TestClient, db: Session, user: User) -> None:
    for status in ("done", "open", "done"):
        create_random_note(db, owner_id=user.id, status=status)
    since = "2026-01-01T00:00:00.5+01:00"
    params: dict[str, Any] = {
        "limit": 1,
        "status": "done",
        "is_public": False,
        "created_since": since,
    }
    first = user_client.get(SAMPLE_NOTES, params=params)
    second = user_client.get(urljoin(SAMPLE_NOTES, first.links["next"]["url"]))
    assert [first.headers["X-Total-Count"], second.headers["X-Total-Count"]] == ["2", "2"]
    assert [row["status"] for row in (*first.json(), *second.json())] == ["done", "done"]
    assert set(second.links) == {"first", "prev"}


def test_cache_of_statements_is_bounded() -> None:
    """Filters have many combinations."""
    assert CRUDBase._page_statements.cache_info().maxsize == 500


@pytest.mark.parametrize(
    "params",
    [
        {"status": "unknown"},
        {"status": ""},
        {"is_public": "maybe"},
        {"owner_id": 0},
        {"owner_id": 2**31},
        {"created_since": "2026-01-01T00:00:00"},
        {"created_since": "0001-01-01T00:00:00+01:00"},
        {"created_since": "yesterday"},
        {"limit": 0},
        {"limit": 101},
        {"limit": "x"},
        {"skip": -1},
        {"skip": 10**30},
        {"sort": "hashed_password"},
        {"sort": "--id"},
        {"q": "nul\0"},
        {"q": "x" * 256},
    ],
)
def test_invalid_list_parameters_are_422(user_client: TestClient, params: dict[str, Any]) -> None:
    assert user_client.get(SAMPLE_NOTES, params=params).status_code == 422
