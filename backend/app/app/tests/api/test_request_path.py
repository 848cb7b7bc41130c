"""Rules for all endpoints, including new ones."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Connection, create_engine, event, func, select, text
from sqlalchemy.orm import Session

from app import crud
from app.api.api_v1.api import api_routers
from app.api.deps import HashingSlot, ReadSessionDep, SessionDep, get_db, get_read_db
from app.api.routing import APIRouter, Route
from app.core.config import settings
from app.db.session import THREADS, SessionLocal, engine
from app.main import app
from app.models import User
from app.tests.utils.queries import collect_queries
from app.tests.utils.sample_note import SAMPLE_NOTES, create_random_note
from app.tests.utils.user import auth_headers, create_random_user
from app.tests.utils.utils import random_email, random_lower_string

API = settings.API_V1_STR
ROUTES = [route for router in api_routers for route in router.routes if isinstance(route, APIRoute)]
OPERATIONS = {
    (method.upper(), path): operation
    for path, operations in app.openapi()["paths"].items()
    for method, operation in operations.items()
}


def dependencies(dependant: Dependant) -> Iterator[Dependant]:
    for dependency in dependant.dependencies:
        yield dependency
        yield from dependencies(dependency)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_sessions_end_before_response(route: APIRoute) -> None:
    """Otherwise, a client could get the response before the change is committed."""
    assert isinstance(route, Route)
    for dependency in dependencies(route.dependant):
        if dependency.call in (get_db, get_read_db):
            assert dependency.scope == "function"


def test_operation_ids_are_readable() -> None:
    assert OPERATIONS["GET", f"{API}/users/me"]["operationId"] == "users-read_user_me"
    tags = [operation["tags"][0] for operation in OPERATIONS.values()]
    ours = ["login", "users", "utils"]
    assert [tag for tag in dict.fromkeys(tags) if tag in ours] == ours


@pytest.mark.parametrize(
    ("method", "path", "body", "queries"),
    [
        ("GET", "/users/me", None, 1),
        ("GET", "/sample-notes/", None, 2),
        ("GET", "/sample-notes/?q=x&sort=-title", None, 2),
        ("GET", "/sample-notes/{id}", None, 2),
        ("POST", "/sample-notes/", {"title": "x"}, 3),
        ("PUT", "/sample-notes/{id}", {"title": "x"}, 4),
        # Comments require notes, so a note is locked and the comments are searched.
        ("DELETE", "/sample-notes/{id}", None, 5),
    ],
)
def test_number_of_queries_per_request_is_fixed(
    user_client: TestClient,
    user: User,
    connection: Connection,
    db: Session,
    method: str,
    path: str,
    body: dict[str, str] | None,
    queries: int,
) -> None:
    note = create_random_note(db, owner_id=user.id)
    with collect_queries(connection) as statements:
        response = user_client.request(method, API + path.format(id=note.id), json=body)
    assert response.is_success
    assert len(statements) == queries, statements


def test_failed_request_is_rolled_back(db: Session) -> None:
    broken = FastAPI()
    email = random_email()

    class Bug(Exception):
        pass

    def write_and_fail(db: SessionDep, _: HashingSlot) -> None:
        create_random_user(db, email=email)
        raise Bug

    router = APIRouter()
    router.post("/routed")(write_and_fail)
    broken.include_router(router)
    broken.post("/plain")(write_and_fail)
    with TestClient(broken) as client:
        for path in ("/routed", "/plain"):
            with pytest.raises(Bug):
                client.post(path)
            assert crud.user.get_by_email(db, email=email) is None


def test_uncommitted_write_is_an_error(db: Session) -> None:
    """Plain FastAPI routes and coroutine endpoints do not commit, so the write would be lost."""
    plain = FastAPI()
    router = APIRouter()
    email = random_email()

    @plain.post("/plain")
    def write(db: SessionDep, _: HashingSlot) -> None:
        create_random_user(db, email=email)

    @router.post("/coroutine")
    async def write_in_the_event_loop(db: SessionDep) -> None:
        create_random_user(db, email=email)

    plain.include_router(router)
    with TestClient(plain) as client:
        for path in ("/plain", "/coroutine"):
            with pytest.raises(RuntimeError, match="not committed"):
                client.post(path)
            assert crud.user.get_by_email(db, email=email) is None


def test_read_session_rejects_writes(db: Session) -> None:
    broken = FastAPI()

    @broken.post("/")
    def write(db: ReadSessionDep, _: HashingSlot) -> None:
        create_random_user(db)

    with TestClient(broken) as client, pytest.raises(RuntimeError, match="only reads"):
        client.post("/")
    assert db.scalar(select(func.count()).select_from(User)) == 1


def test_more_requests_than_connections_succeed(committed_client: TestClient) -> None:
    """No request waits for a thread while it holds a connection, which would block others."""
    with SessionLocal.begin() as db:
        headers = auth_headers(create_random_user(db))

    def create(number: int) -> int:
        body = {"title": str(number)}
        return committed_client.post(SAMPLE_NOTES, headers=headers, json=body).status_code

    requests = 4 * THREADS
    with ThreadPoolExecutor(requests) as pool:
        assert list(pool.map(create, range(requests))) == [201] * requests


def test_lost_connection_is_503(
    committed_client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks during a query. The next request gets a new connection."""
    monkeypatch.setattr(settings, "USERS_OPEN_REGISTRATION", True)
    body = {"email": random_email(), "password": random_lower_string()}
    server = create_engine(engine.url)

    @event.listens_for(engine, "before_cursor_execute", once=True)
    def break_connection(_connection: Any, cursor: Any, *_: Any) -> None:
        with server.connect() as other:
            pid = cursor.connection.info.backend_pid
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    response = committed_client.post(f"{API}/users/open", json=body)
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert "POST" in caplog.text
    assert "argon2" not in caplog.text
    server.dispose()
    assert committed_client.post(f"{API}/users/open", json=body).status_code == 202
