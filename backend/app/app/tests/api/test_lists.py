"""Behaviour of all lists: paging, sorting, search and totals."""

from decimal import Decimal
from typing import Any
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

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
    "params",
    [
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
