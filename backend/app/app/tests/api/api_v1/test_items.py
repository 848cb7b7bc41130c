"""Items. Behaviour of all resources is tested in api/test_lists.py and api/test_owned_rows.py."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.config import settings
from app.crud.crud_item import item as crud_item
from app.models.user import User
from app.tests.utils.item import create_random_item

ITEMS = f"{settings.API_V1_STR}/items/"


def test_create_item(user_client: TestClient, db: Session, user: User) -> None:
    body = {"title": "A title", "description": "A description"}
    response = user_client.post(ITEMS, json=body)
    assert response.status_code == 201
    assert response.json().items() >= (body | {"owner_id": user.id}).items()
    assert crud_item.get(db, response.json()["id"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": None},
        {"title": ""},
        {"title": "x" * 256},
        {"title": 1},
        {"title": "nul\0"},
        {"title": "x", "description": "x" * 10_001},
        {"title": "x", "description": "nul\0"},
    ],
)
def test_invalid_fields_are_rejected(user_client: TestClient, body: dict[str, Any]) -> None:
    assert user_client.post(ITEMS, json=body).status_code == 422


def test_read_item(user_client: TestClient, db: Session, user: User) -> None:
    item = create_random_item(db, owner_id=user.id)
    response = user_client.get(f"{ITEMS}{item.id}")
    assert response.status_code == 200
    assert response.json()["title"] == item.title


def test_read_items(user_client: TestClient, db: Session, user: User) -> None:
    item = create_random_item(db, owner_id=user.id)
    create_random_item(db)
    assert [each["id"] for each in user_client.get(ITEMS).json()] == [item.id]


@pytest.mark.parametrize("field", ["title", "description"])
def test_search_items(user_client: TestClient, db: Session, user: User, field: str) -> None:
    items = [create_random_item(db, owner_id=user.id) for _ in range(2)]
    params = {"q": getattr(items[1], field).upper(), "sort": field}
    assert [each["id"] for each in user_client.get(ITEMS, params=params).json()] == [items[1].id]


def test_update_item(user_client: TestClient, db: Session, user: User) -> None:
    item = create_random_item(db, owner_id=user.id)
    response = user_client.put(f"{ITEMS}{item.id}", json={"title": "new"})
    assert response.status_code == 200
    assert response.json()["title"] == "new"
    assert response.json()["description"] == item.description


def test_null_title_is_rejected(user_client: TestClient, db: Session, user: User) -> None:
    item = create_random_item(db, owner_id=user.id)
    assert user_client.put(f"{ITEMS}{item.id}", json={"title": None}).status_code == 422


def test_delete_item(user_client: TestClient, db: Session, user: User) -> None:
    item = create_random_item(db, owner_id=user.id)
    assert user_client.delete(f"{ITEMS}{item.id}").json()["title"] == item.title
    assert user_client.get(f"{ITEMS}{item.id}").status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_item_of_another_user_is_forbidden(
    user_client: TestClient, db: Session, method: str
) -> None:
    item = create_random_item(db)
    response = user_client.request(method, f"{ITEMS}{item.id}", json={"title": "x"})
    assert (response.status_code, response.json()["detail"]) == (403, "Not enough permissions")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_missing_item_is_404(user_client: TestClient, method: str) -> None:
    response = user_client.request(method, f"{ITEMS}2147483647", json={})
    assert (response.status_code, response.json()["detail"]) == (404, "Item not found")
