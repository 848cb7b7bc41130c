from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import crud
from app.core.config import settings
from app.core.security import create_access_token
from app.db.session import SessionLocal
from app.models import Item
from app.schemas import ItemCreate
from app.tests.utils.item import create_random_item
from app.tests.utils.user import create_random_user
from app.tests.utils.utils import get_superuser_token_headers, random_lower_string

ITEMS = f"{settings.API_V1_STR}/items/"


@pytest.fixture
def own_items(
    client: TestClient, normal_user_token_headers: dict[str, str], db: Session
) -> list[Item]:
    """Five items of the normal user's, and one of somebody else's."""
    me = client.get(f"{settings.API_V1_STR}/users/me", headers=normal_user_token_headers).json()
    rows = [("b", None), ("a", "x"), ("c", "y"), ("a", None), ("b", "z")]
    others = create_random_item(db)
    items = [
        crud.item.create_with_owner(
            db, obj_in=ItemCreate(title=title, description=description), owner_id=me["id"]
        )
        for title, description in rows
    ]
    # A row that was written again lies behind the others, on the disk and in the index.
    for owner_id in (others.owner_id, me["id"]):
        crud.item.update(db, db_obj=items[0], obj_in={"owner_id": owner_id})
    return items


def test_create_item(
    client: TestClient, normal_user_token_headers: dict[str, str], db: Session
) -> None:
    body = {"title": "A title", "description": "A description", "unknown": "ignored"}
    response = client.post(ITEMS, headers=normal_user_token_headers, json=body)
    assert response.status_code == 201
    content = response.json()
    item = crud.item.get(db, content["id"])
    assert item is not None
    assert content == {
        "id": item.id,
        "title": "A title",
        "description": "A description",
        "owner_id": item.owner_id,
    }


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
def test_create_item_with_invalid_fields(
    client: TestClient, normal_user_token_headers: dict[str, str], body: dict[str, Any]
) -> None:
    response = client.post(ITEMS, headers=normal_user_token_headers, json=body)
    assert response.status_code == 422


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "🦊" * 255, "עברית", "{{ 7*7 }}"])
def test_texts_come_back_as_they_were(
    client: TestClient, normal_user_token_headers: dict[str, str], text: str
) -> None:
    body = {"title": text, "description": text}
    created = client.post(ITEMS, headers=normal_user_token_headers, json=body).json()
    read = client.get(f"{ITEMS}{created['id']}", headers=normal_user_token_headers).json()
    assert (read["title"], read["description"]) == (text, text)


def test_read_item(
    client: TestClient, superuser_token_headers: dict[str, str], db: Session
) -> None:
    item = create_random_item(db)
    response = client.get(f"{ITEMS}{item.id}", headers=superuser_token_headers)
    assert response.status_code == 200
    assert response.json()["title"] == item.title


def test_update_item(
    client: TestClient, normal_user_token_headers: dict[str, str], own_items: list[Item]
) -> None:
    url = f"{ITEMS}{own_items[1].id}"
    response = client.put(url, headers=normal_user_token_headers, json={"title": "new"})
    assert response.status_code == 200
    assert (response.json()["title"], response.json()["description"]) == ("new", "x")
    response = client.put(url, headers=normal_user_token_headers, json={"description": None})
    assert (response.json()["title"], response.json()["description"]) == ("new", None)


def test_title_can_not_become_null(
    client: TestClient, normal_user_token_headers: dict[str, str], own_items: list[Item]
) -> None:
    """In the classic it could, and every later list was a 500."""
    url = f"{ITEMS}{own_items[0].id}"
    response = client.put(url, headers=normal_user_token_headers, json={"title": None})
    assert response.status_code == 422
    assert client.get(ITEMS, headers=normal_user_token_headers).status_code == 200


def test_delete_item(
    client: TestClient, normal_user_token_headers: dict[str, str], own_items: list[Item]
) -> None:
    url = f"{ITEMS}{own_items[0].id}"
    response = client.delete(url, headers=normal_user_token_headers)
    assert response.status_code == 200
    assert response.json()["title"] == "b"
    assert client.get(url, headers=normal_user_token_headers).status_code == 404


def test_change_and_delete_at_the_same_time(committed_client: TestClient) -> None:
    """Of items that are changed, and of an owner who creates more: a 4xx at most."""
    with SessionLocal.begin() as db:
        user = create_random_user(db)
        items = [create_random_item(db, owner_id=user.id).id for _ in range(5)]
    superuser = get_superuser_token_headers(committed_client)
    token = create_access_token(user.id, password_hash=user.hashed_password)
    headers = {"Authorization": f"Bearer {token}"}

    def send(request: tuple[str, str, dict[str, str]]) -> int:
        method, url, own = request
        return committed_client.request(method, url, headers=own, json={"title": "x"}).status_code

    requests = [
        (method, f"{ITEMS}{id_}", superuser) for id_ in items for method in ("PUT", "DELETE")
    ]
    requests += [("POST", ITEMS, headers)] * 5
    requests.insert(12, ("DELETE", f"{settings.API_V1_STR}/users/{user.id}", superuser))
    with ThreadPoolExecutor(len(requests)) as pool:
        assert set(pool.map(send, requests)) <= {200, 201, 401, 404}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_item_of_somebody_else(
    client: TestClient, normal_user_token_headers: dict[str, str], db: Session, method: str
) -> None:
    item = create_random_item(db)
    response = client.request(
        method, f"{ITEMS}{item.id}", headers=normal_user_token_headers, json={"title": "x"}
    )
    assert response.status_code == 403
    assert response.json() == {"detail": "Not enough permissions", "code": "permission_denied"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_missing_item(
    client: TestClient, normal_user_token_headers: dict[str, str], method: str
) -> None:
    response = client.request(
        method, f"{ITEMS}2147483647", headers=normal_user_token_headers, json={}
    )
    assert response.status_code == 404
    assert response.json() == {"detail": "Item not found", "code": "not_found"}


def test_list_has_own_items_only(
    client: TestClient, normal_user_token_headers: dict[str, str], own_items: list[Item]
) -> None:
    response = client.get(ITEMS, headers=normal_user_token_headers)
    assert [item["id"] for item in response.json()] == [item.id for item in own_items]
    assert response.headers["X-Total-Count"] == "5"


def test_list_of_a_superuser_has_everybodys(
    client: TestClient, superuser_token_headers: dict[str, str], db: Session
) -> None:
    items = [create_random_item(db), create_random_item(db)]
    params = {"q": items[0].title}
    response = client.get(ITEMS, headers=superuser_token_headers, params=params)
    assert [item["id"] for item in response.json()] == [items[0].id]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("id", [0, 1, 2, 3, 4]),
        ("-id", [4, 3, 2, 1, 0]),
        ("title", [1, 3, 0, 4, 2]),
        ("-title", [2, 0, 4, 1, 3]),
        ("description", [1, 2, 4, 0, 3]),
        ("-description", [4, 2, 1, 0, 3]),
        ("owner_id", [0, 1, 2, 3, 4]),
    ],
)
def test_sort(
    client: TestClient,
    normal_user_token_headers: dict[str, str],
    own_items: list[Item],
    sort: str,
    order: list[int],
) -> None:
    """The id breaks ties, and NULLs come last."""
    response = client.get(ITEMS, headers=normal_user_token_headers, params={"sort": sort})
    assert [item["id"] for item in response.json()] == [own_items[i].id for i in order]


def test_pages_follow_each_other_by_their_links(
    client: TestClient, normal_user_token_headers: dict[str, str], own_items: list[Item]
) -> None:
    seen = []
    url = f"{ITEMS}?limit=2&sort=-id"
    for links in ({"first", "next"}, {"first", "prev", "next"}, {"first", "prev"}):
        response = client.get(url, headers=normal_user_token_headers)
        seen += [item["id"] for item in response.json()]
        assert set(response.links) == links
        assert response.headers["X-Total-Count"] == "5"
        if "next" in response.links:
            url = urljoin(url, response.links["next"]["url"])
    assert seen == [item.id for item in reversed(own_items)]
    back = client.get(
        urljoin(url, response.links["prev"]["url"]), headers=normal_user_token_headers
    )
    assert [item["id"] for item in back.json()] == seen[2:4]


def test_page_past_the_end(
    client: TestClient, normal_user_token_headers: dict[str, str], own_items: list[Item]
) -> None:
    response = client.get(ITEMS, headers=normal_user_token_headers, params={"skip": 50})
    assert response.json() == []
    assert response.headers["X-Total-Count"] == str(len(own_items))
    assert "prev" in response.links


def test_empty_list(client: TestClient, normal_user_token_headers: dict[str, str]) -> None:
    params = {"q": random_lower_string()}
    response = client.get(ITEMS, headers=normal_user_token_headers, params=params)
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
def test_invalid_parameters(
    client: TestClient, normal_user_token_headers: dict[str, str], params: dict[str, Any]
) -> None:
    response = client.get(ITEMS, headers=normal_user_token_headers, params=params)
    assert response.status_code == 422
