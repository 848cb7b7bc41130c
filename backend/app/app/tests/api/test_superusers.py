"""The permissions of superusers are checked again inside the transaction of a write."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import crud
from app.api import deps
from app.api.api_v1.api import api_routers
from app.core.config import settings
from app.db.session import SessionLocal
from app.models import User
from app.tests.utils.database import wait_until_blocked
from app.tests.utils.sample_note import SampleNote, create_random_note
from app.tests.utils.user import auth_headers, create_random_user
from app.tests.utils.utils import random_email, random_lower_string

API = settings.API_V1_STR
PASSWORD = "the right password"

WRITES: dict[str, tuple[str, str, Callable[[], dict[str, Any]]]] = {
    "create a user": (
        "POST",
        "/users/",
        lambda: {"email": random_email(), "password": random_lower_string(), "is_superuser": True},
    ),
    "restore oneself": (
        "PUT",
        "/users/{caller}",
        lambda: {"is_superuser": True, "is_active": True},
    ),
    "rename oneself": ("PUT", "/users/me", lambda: {"full_name": "After"}),
    "change another": ("PUT", "/users/{other}", lambda: {"full_name": "After"}),
    "promote another": ("PUT", "/users/{other}", lambda: {"is_superuser": True}),
    "delete another": ("DELETE", "/users/{other}", dict),
    "delete oneself": ("DELETE", "/users/{caller}", lambda: {"current_password": PASSWORD}),
    "change a row of another": ("PUT", "/sample-notes/{note}", lambda: {"title": "After"}),
    "delete a row of another": ("DELETE", "/sample-notes/{note}", dict),
}


def demote(db: Session, user: User) -> None:
    crud.user.update(db, db_obj=user, obj_in={"is_superuser": False})


def deactivate(db: Session, user: User) -> None:
    crud.user.update(db, db_obj=user, obj_in={"is_active": False})


def change_password(db: Session, user: User) -> None:
    crud.user.update(db, db_obj=user, obj_in={"password": random_lower_string()})


def delete(db: Session, user: User) -> None:
    crud.user.remove(db, id=user.id)


@pytest.fixture(params=["caller first", "other first"])
def people(request: pytest.FixtureRequest, database: None) -> Iterator[dict[str, Any]]:
    """The ids of a superuser (the caller), of another user, and of that user's note.

    Also the headers of the caller.
    """
    with SessionLocal.begin() as db:
        kinds = [{"is_superuser": True, "password": PASSWORD}, {}]
        if request.param == "other first":
            kinds.reverse()
        pair = [create_random_user(db, **kind) for kind in kinds]
        caller, other = pair if request.param == "caller first" else pair[::-1]
        note = create_random_note(db, owner_id=other.id)
        ids = {"caller": caller.id, "other": other.id, "note": note.id}
        headers = auth_headers(caller)
    yield ids | {"headers": headers}
    with SessionLocal.begin() as db:
        for each in ("caller", "other"):
            if user := db.get(User, ids[each]):
                db.delete(user)


ENDS = [
    (demote, 403, ("The user doesn't have enough privileges", "Not enough permissions")),
    (deactivate, 403, ("Inactive user",)),
    (change_password, 401, ("Could not validate credentials",)),
    (delete, 401, ("Could not validate credentials",)),
]


@pytest.mark.parametrize(
    ("write", "end", "status", "detail"),
    # Former superusers may still rename themselves, so this pair is left out.
    [(w, *e) for w in WRITES for e in ENDS if (w, e[0]) != ("rename oneself", demote)],
)
def test_revoked_permission_stops_pending_requests(
    committed_client: TestClient,
    people: dict[str, Any],
    write: str,
    end: Callable[[Session, User], None],
    status: int,
    detail: tuple[str, ...],
) -> None:
    method, path, body = WRITES[write]
    with SessionLocal() as db:
        caller = db.get(User, people["caller"], with_for_update=True)
        assert caller is not None
        number = len(crud.user.get_multi(db))
        with ThreadPoolExecutor(1) as pool:
            end(db, caller)
            # The request authenticates before the commit, so it still sees the old row.
            future = pool.submit(
                committed_client.request,
                method,
                API + path.format(**people),
                headers=people["headers"],
                json=body(),
            )
            wait_until_blocked(db)
            db.commit()
            response = future.result(20)
    assert (response.status_code, response.json()["detail"] in detail) == (status, True)
    with SessionLocal() as db:
        other, note = db.get(User, people["other"]), db.get(SampleNote, people["note"])
        assert other is not None
        assert (other.full_name, other.is_superuser) == (None, False)
        assert note is not None
        assert note.title != "After"
        assert len(crud.user.get_multi(db)) == number - (end is delete)
        caller = db.get(User, people["caller"])
        if caller:
            assert (caller.is_superuser, caller.is_active) == (
                end is not demote,
                end is not deactivate,
            )


def test_mutual_edits_do_not_deadlock(committed_client: TestClient) -> None:
    with SessionLocal.begin() as db:
        pair = [create_random_user(db, is_superuser=True) for _ in range(2)]
        notes = [create_random_note(db, owner_id=user.id) for user in pair]
        headers = [auth_headers(user) for user in pair]

    def write(number: int) -> int:
        by, of = number % 2, (number // 2) % 2
        url = f"/users/{pair[of].id}" if number % 3 else f"/sample-notes/{notes[of].id}"
        body = {"full_name": str(number), "title": str(number)}
        return committed_client.put(API + url, headers=headers[by], json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(96))) == {200}


@pytest.mark.parametrize(
    "route",
    [
        route
        for router in api_routers
        for route in router.routes
        if isinstance(route, APIRoute) and (route.methods or set()) & {"PUT", "PATCH", "DELETE"}
    ],
    ids=lambda route: route.name,
)
def test_write_endpoints_recheck_caller(route: APIRoute) -> None:
    calls = [dependency.call for dependency in route.dependant.dependencies]
    assert deps.get_writer in calls or deps.get_superuser_writer in calls
