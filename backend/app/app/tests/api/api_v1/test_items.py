"""Items. What all resources share is tested in api/test_lists.py and others."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.core.config import settings
from app.crud.crud_item import item as crud_item
from app.models.user import User
from app.tests.utils.item import create_random_item
from app.tests.utils.queries import collect_queries

ITEMS = f"{settings.API_V1_STR}/items/"


@pytest.fixture
def body() -> dict[str, Any]:
    """A value for every field, except optional references."""
    return {
        "title": "Title",
        "description": "Description",
    }


def test_create_item(
    user_client: TestClient, db: Session, user: User, body: dict[str, Any]
) -> None:
    response = user_client.post(ITEMS, json=body)
    assert response.status_code == 201
    assert response.json().items() >= (body | {"owner_id": user.id}).items()
    assert response.json()["owner"] == {"id": user.id, "title": user.email}
    assert crud_item.get(db, response.json()["id"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "x" * 256),
        ("title", "nul\0"),
        ("title", " "),
        ("title", 1),
        ("title", ""),
        ("title", None),
        ("description", "x" * 10_001),
        ("description", "nul\0"),
        ("description", " "),
        ("description", 1),
    ],
)
def test_invalid_value_is_422(
    user_client: TestClient, body: dict[str, Any], field: str, value: Any
) -> None:
    assert user_client.post(ITEMS, json=body | {field: value}).status_code == 422


@pytest.mark.parametrize("field", ["title"])
def test_missing_field_is_422(user_client: TestClient, body: dict[str, Any], field: str) -> None:
    del body[field]
    assert user_client.post(ITEMS, json=body).status_code == 422


def test_read_item(user_client: TestClient, db: Session, user: User) -> None:
    item = create_random_item(db, owner_id=user.id)
    response = user_client.get(f"{ITEMS}{item.id}")
    assert (response.status_code, response.json()["id"]) == (200, item.id)
    assert user_client.get(ITEMS).json() == [response.json()]


def test_update_item(
    user_client: TestClient, db: Session, user: User, body: dict[str, Any]
) -> None:
    item = create_random_item(db, owner_id=user.id)
    response = user_client.put(f"{ITEMS}{item.id}", json=body)
    assert response.status_code == 200
    assert response.json().items() >= (body | {"id": item.id}).items()


def test_stale_update_is_412(user_client: TestClient, db: Session, user: User) -> None:
    item = create_random_item(db, owner_id=user.id)
    headers = {"If-Match": '"2020-01-01T00:00:00Z"'}
    response = user_client.put(f"{ITEMS}{item.id}", json={}, headers=headers)
    assert (response.status_code, response.json()["code"]) == (412, "row_changed")


def test_delete_item(user_client: TestClient, db: Session, user: User) -> None:
    item = create_random_item(db, owner_id=user.id)
    response = user_client.delete(f"{ITEMS}{item.id}")
    assert (response.status_code, response.json()["id"]) == (200, item.id)
    assert crud_item.get(db, item.id) is None


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_item_of_another_user_is_403(user_client: TestClient, db: Session, method: str) -> None:
    item = create_random_item(db)
    response = user_client.request(method, f"{ITEMS}{item.id}", json={})
    assert response.status_code == 403
    assert user_client.get(ITEMS).json() == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_superusers_may_access_any_item(
    superuser_client: TestClient, db: Session, method: str
) -> None:
    item = create_random_item(db)
    response = superuser_client.request(method, f"{ITEMS}{item.id}", json={})
    assert (response.status_code, response.json()["id"]) == (200, item.id)


def test_import_and_export_are_jobs(user_client: TestClient) -> None:
    response = user_client.post(f"{ITEMS}import", content=b"", headers={"Content-Type": "text/csv"})
    assert (response.status_code, response.json()["kind"]) == (202, "import_items")
    response = user_client.post(f"{ITEMS}export")
    assert (response.status_code, response.json()["kind"]) == (202, "export_items")


def test_filter_by_owner(superuser_client: TestClient, db: Session) -> None:
    item, _ = [create_random_item(db) for _ in range(2)]
    response = superuser_client.get(ITEMS, params={"owner_id": item.owner_id})
    assert [each["id"] for each in response.json()] == [item.id]


def test_number_of_queries_is_fixed(
    user_client: TestClient, connection: Connection, db: Session, user: User
) -> None:
    item, _ = [create_random_item(db, owner_id=user.id) for _ in range(2)]
    url = f"{ITEMS}{item.id}"
    for method, path, queries in (("GET", ITEMS, 2), ("GET", url, 2), ("PUT", url, 3)):
        with collect_queries(connection) as statements:
            assert user_client.request(method, path, json={}).status_code == 200
        assert len(statements) == queries, statements
