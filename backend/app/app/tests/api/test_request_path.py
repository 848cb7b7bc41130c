"""What holds for every endpoint, those to come included."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Connection, create_engine, event, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import crud
from app.api.api_v1.endpoints import items, login, users, utils
from app.api.deps import ReadSessionDep, SessionDep, get_db, get_read_db
from app.api.routing import APIRouter, Route
from app.core.config import settings
from app.core.security import create_access_token
from app.db.session import THREADS, SessionLocal, engine
from app.main import app
from app.models import User
from app.tests.utils.item import create_random_item
from app.tests.utils.user import create_random_user
from app.tests.utils.utils import random_email, random_lower_string

API = settings.API_V1_STR
ROUTES = [
    route
    for module in (items, login, users, utils)
    for route in module.router.routes
    if isinstance(route, APIRoute)
]
OPERATIONS = [
    (method.upper(), path)
    for path, operations in app.openapi()["paths"].items()
    for method in operations
]
OPEN_TO_EVERYONE = [
    ("POST", f"{API}/login/access-token"),
    ("POST", f"{API}/password-recovery/{{email}}"),
    ("POST", f"{API}/reset-password/"),
    ("GET", f"{API}/users/open"),
    ("POST", f"{API}/users/open"),
    ("GET", f"{API}/utils/health/live"),
    ("GET", f"{API}/utils/health/ready"),
]


def dependencies(dependant: Dependant) -> Iterator[Dependant]:
    for dependency in dependant.dependencies:
        yield dependency
        yield from dependencies(dependency)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_sessions_end_before_the_response(route: APIRoute) -> None:
    """Otherwise a client could be told that something is saved before it is."""
    assert isinstance(route, Route)
    for dependency in dependencies(route.dependant):
        if dependency.call in (get_db, get_read_db):
            assert dependency.scope == "function"


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_endpoints_want_a_token(client: TestClient, method: str, path: str) -> None:
    url = path.replace("{id}", "1").replace("{user_id}", "1")
    response = client.request(method, url)
    assert (response.status_code != 401) == ((method, path) in OPEN_TO_EVERYONE)


def test_every_status_of_the_contract_is_in_the_schema() -> None:
    for method, path in OPERATIONS:
        responses = app.openapi()["paths"][path][method.lower()]["responses"]
        if (method, path) not in OPEN_TO_EVERYONE:
            assert {"401", "403", "503"} <= set(responses), path
        assert "413" in responses, path
        if "requestBody" in app.openapi()["paths"][path][method.lower()]:
            assert "422" in responses, path


def test_operation_ids_and_tags() -> None:
    paths = app.openapi()["paths"]
    assert paths[f"{API}/items/"]["get"]["operationId"] == "items-read_items"
    tags = [operation["tags"][0] for path in paths.values() for operation in path.values()]
    assert list(dict.fromkeys(tags)) == ["login", "users", "utils", "items"]


@contextmanager
def count_queries(connection: Connection) -> Iterator[list[str]]:
    """Collect the statements that a block sends, without the savepoints of the tests."""
    statements: list[str] = []

    def collect(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "SAVEPOINT" not in statement:
            statements.append(statement)

    event.listen(connection, "before_cursor_execute", collect)
    try:
        yield statements
    finally:
        event.remove(connection, "before_cursor_execute", collect)


@pytest.mark.parametrize(
    ("method", "path", "body", "queries"),
    [
        ("GET", "/users/me", None, 1),
        ("GET", "/items/", None, 2),
        ("GET", "/items/?q=x&sort=-title", None, 2),
        ("GET", "/items/{id}", None, 2),
        ("POST", "/items/", {"title": "x"}, 3),
        ("PUT", "/items/{id}", {"title": "x"}, 4),
        ("DELETE", "/items/{id}", None, 3),
    ],
)
def test_number_of_queries(
    client: TestClient,
    connection: Connection,
    db: Session,
    method: str,
    path: str,
    body: dict[str, str] | None,
    queries: int,
) -> None:
    user = create_random_user(db)
    item = create_random_item(db, owner_id=user.id)
    db.commit()
    token = create_access_token(user.id, password_hash=user.hashed_password)
    url = API + path.format(id=item.id)
    with count_queries(connection) as statements:
        response = client.request(
            method, url, headers={"Authorization": f"Bearer {token}"}, json=body
        )
    assert response.is_success
    assert len(statements) == queries, statements


def test_a_failing_endpoint_writes_nothing(db: Session) -> None:
    broken = FastAPI()
    email = random_email()

    class Bug(Exception):
        pass

    def write_and_fail(db: SessionDep) -> None:
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


def test_a_write_that_no_route_commits_is_an_error(db: Session) -> None:
    """FastAPI's own routes would lose it, and so would an endpoint that is a coroutine."""
    plain = FastAPI()
    router = APIRouter()
    email = random_email()

    @plain.post("/plain")
    def write(db: SessionDep) -> None:
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


def test_a_session_for_reading_refuses_to_write(db: Session) -> None:
    broken = FastAPI()

    @broken.post("/")
    def write(db: ReadSessionDep) -> None:
        create_random_user(db)

    with TestClient(broken) as client, pytest.raises(RuntimeError, match="only reads"):
        client.post("/")
    assert db.scalar(select(func.count()).select_from(User)) == 1


def test_more_requests_at_once_than_connections(committed_client: TestClient) -> None:
    """None waits for a thread while it holds a connection, so they can't block each other."""
    with SessionLocal.begin() as db:
        user = create_random_user(db)
    token = create_access_token(user.id, password_hash=user.hashed_password)

    def create(number: int) -> int:
        return committed_client.post(
            f"{API}/items/",
            headers={"Authorization": f"Bearer {token}"},
            json={"title": str(number)},
        ).status_code

    requests = 4 * THREADS
    with ThreadPoolExecutor(requests) as pool:
        assert list(pool.map(create, range(requests))) == [201] * requests


def test_a_lost_connection_is_a_503_that_tells_no_secret(
    committed_client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks under the query; the next request has a new one."""
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
    assert committed_client.post(f"{API}/users/open", json=body).status_code == 201


@pytest.mark.parametrize("error", [RuntimeError("internal"), DBAPIError("SELECT", {}, OSError())])
def test_a_bug_tells_the_client_nothing(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(crud.user, "authenticate", fail)
    quiet = TestClient(app, raise_server_exceptions=False)
    form = {"username": random_email(), "password": "password"}
    response = quiet.post(f"{API}/login/access-token", data=form)
    assert response.status_code == 500
    assert response.json() == {"detail": "Internal server error", "code": "internal_error"}
    assert client.get(f"{API}/utils/health/live").status_code == 200


def test_cors_is_exact(client: TestClient) -> None:
    origin = settings.BACKEND_CORS_ORIGINS[0]
    allowed = client.get("/api/", headers={"Origin": origin})
    assert allowed.headers["Access-Control-Allow-Origin"] == origin
    exposed = allowed.headers["Access-Control-Expose-Headers"]
    for header in ("X-Total-Count", "Link", "Location", "Retry-After", "X-Request-ID"):
        assert header in exposed
    for other in (f"{origin}.example.com", f"{origin}:81", "null"):
        refused = client.get("/api/", headers={"Origin": other})
        assert "Access-Control-Allow-Origin" not in refused.headers
