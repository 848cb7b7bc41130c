"""Rules for all responses: methods, headers, limits."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import crud
from app.api.errors import add_error_handlers
from app.api.routing import MAX_BODY_BYTES, APIRouter
from app.core.config import settings
from app.main import app
from app.tests.utils.sample_note import SAMPLE_NOTES
from app.tests.utils.server import running_server
from app.tests.utils.utils import random_email

API = settings.API_V1_STR
TOO_LARGE = {"detail": "Content Too Large", "code": "content_too_large"}
ORIGIN = settings.BACKEND_CORS_ORIGINS[0]


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/docs",
        "/redoc",
        f"{API}/openapi.json",
        f"{API}/utils/health/live",
        f"{API}/utils/health/ready",
        f"{API}/users/open",
        f"{API}/users/me",
        f"{API}/nothing",
    ],
)
def test_head_is_get_without_body(client: TestClient, path: str) -> None:
    get, head = client.get(path), client.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    for name in ("Content-Type", "Content-Length"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("error", [RuntimeError("internal"), DBAPIError("SELECT", {}, OSError())])
def test_internal_error_has_cors_headers_and_no_details(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(crud.user, "authenticate", fail)
    form = {"username": random_email(), "password": "password"}
    response = TestClient(app, raise_server_exceptions=False).post(
        f"{API}/login/access-token", data=form, headers={"Origin": ORIGIN}
    )
    assert response.status_code == 500
    assert response.json() == {"detail": "Internal server error", "code": "internal_error"}
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "X-Request-ID" in response.headers["Access-Control-Expose-Headers"]
    assert response.headers["X-Request-ID"]


def test_cors_allows_only_listed_origins(client: TestClient) -> None:
    allowed = client.get("/api/", headers={"Origin": ORIGIN})
    assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
    exposed = allowed.headers["Access-Control-Expose-Headers"]
    for header in ("X-Total-Count", "Link", "Location", "Retry-After", "X-Request-ID"):
        assert header in exposed
    for other in (f"{ORIGIN}.example.com", f"{ORIGIN}:81", "null"):
        rejected = client.get("/api/", headers={"Origin": other})
        assert "Access-Control-Allow-Origin" not in rejected.headers


def test_cors_allows_if_match(client: TestClient) -> None:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "if-match",
    }
    response = client.options(f"{API}/users/1", headers=headers)
    assert response.status_code == 200
    assert "if-match" in response.headers["Access-Control-Allow-Headers"].lower()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/"),
        ("GET", f"{API}/nothing"),
        ("GET", f"{API}/users/me"),
        ("GET", "/docs"),
        ("POST", f"{API}/login/access-token"),
        ("OPTIONS", f"{API}/users/me"),
    ],
)
def test_responses_have_request_id(client: TestClient, method: str, path: str) -> None:
    preflight = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    first, second = (client.request(method, path, headers=preflight) for _ in range(2))
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    given = client.request(method, path, headers=preflight | {"X-Request-ID": "from-the-proxy"})
    assert given.headers["X-Request-ID"] == "from-the-proxy"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize(
    ("path", "location"),
    [
        (f"{API}/users", f"{API}/users/"),
        (f"{API}/sample-notes?q=a%20b%26&skip=1", f"{SAMPLE_NOTES}?q=a%20b%26&skip=1"),
        (f"{SAMPLE_NOTES}1/", f"{SAMPLE_NOTES}1"),
        ("/api", "/api/"),
        (f"{API}/users/%0D%0Aa%3A%20b/", f"{API}/users/%0D%0Aa%3A%20b"),
        (f"{API}/users/%2F%2Fevil.example/", None),
        ("//evil.example/", None),
        ("//evil.example/api", None),
        (f"{API}/nothing", None),
    ],
)
@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "Forwarded"])
def test_redirects_are_relative(
    client: TestClient, method: str, path: str, location: str | None, header: str
) -> None:
    value = "host=evil.example" if header == "Forwarded" else "evil.example"
    url = f"http://testserver{path}"
    response = client.request(method, url, headers={header: value}, follow_redirects=False)
    if location is None:
        assert "Location" not in response.headers
        assert response.status_code in (404, 405)
    else:
        assert response.status_code == 307
        assert response.headers["Location"] == location
        assert client.get(location).status_code != 404 or "1" in location


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\x1b[31m", "ä", "a;b"], ids=repr)
def test_invalid_request_id_is_replaced(client: TestClient, given: str) -> None:
    response = client.get("/api/", headers=[(b"X-Request-ID", given.encode())])
    assert response.headers["X-Request-ID"] not in ("", given)


def test_log_lines_have_request_id() -> None:
    unreachable = "postgresql://nobody@127.0.0.1:1/nothing"
    with running_server(SQLALCHEMY_DATABASE_URI=unreachable) as server:
        headers = {"X-Request-ID": "the-id"}
        response = server.client.get("/utils/health/ready", headers=headers)
        assert response.status_code == 503
        output = server.output()
    lines = [line for line in output.splitlines() if "/health/ready" in line]
    assert len(lines) == 2, output  # the error, and the line of the access log
    for line in lines:
        assert "[the-id]" in line


@pytest.mark.parametrize("email", ["a%0Ab@example.com", "%0A", "a@example.com%0D%0A", "%E2%80%A8"])
def test_line_break_in_path_is_422(client: TestClient, email: str) -> None:
    assert client.post(f"{API}/password-recovery/{email}").status_code == 422


@pytest.fixture
def upload_client() -> Iterator[TestClient]:
    """A client of a small app that accepts larger bodies at /upload than at other paths."""
    router = APIRouter()

    @router.post("/upload", max_body_size=2 * MAX_BODY_BYTES)
    @router.post("/usual")
    async def measure(request: Request) -> int:
        return len(await request.body())

    @router.delete("/unread")
    async def delete() -> int:
        raise AssertionError("this endpoint must not run")

    uploads = FastAPI()
    uploads.include_router(router)
    add_error_handlers(uploads)
    with TestClient(uploads) as test_client:
        yield test_client


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(
    ("method", "path", "size", "status"),
    [
        ("POST", "/usual", MAX_BODY_BYTES, 200),
        ("POST", "/usual", MAX_BODY_BYTES + 1024, 413),
        ("POST", "/upload", 2 * MAX_BODY_BYTES, 200),
        ("POST", "/upload", 2 * MAX_BODY_BYTES + 1024, 413),
    ],
)
def test_route_can_raise_body_limit(
    upload_client: TestClient, method: str, path: str, size: int, status: int, declared: bool
) -> None:
    pieces = (b"x" * 1024 for _ in range(0, size, 1024))
    content = b"x" * size if declared else pieces
    response = upload_client.request(method, path, content=content)
    assert response.status_code == status
    assert response.json() == (
        size if status == 200 else {"detail": "Content Too Large", "code": "content_too_large"}
    )


def test_transfer_encoding_does_not_bypass_body_limit(upload_client: TestClient) -> None:
    headers = {"Content-Length": "1", "Transfer-Encoding": "chunked"}
    pieces = (b"x" * 1024 for _ in range(MAX_BODY_BYTES // 1024 + 1))
    response = upload_client.post("/usual", content=pieces, headers=headers)
    assert response.status_code == 413


def test_body_limit_applies_to_unread_bodies(
    upload_client: TestClient,
) -> None:
    response = upload_client.request("DELETE", "/unread", content=b"x" * (MAX_BODY_BYTES + 1))
    assert response.status_code == 413
    assert response.json() == TOO_LARGE


def test_unknown_constraint_is_a_conflict(user_client: TestClient, db: Session) -> None:
    """A project may add a constraint without mapping it to an error."""
    db.execute(text("ALTER TABLE sample_note ADD CONSTRAINT short CHECK (length(title) < 5)"))
    response = user_client.post(SAMPLE_NOTES, json={"title": "too long"})
    assert response.status_code == 409
    assert response.json() == {"detail": "Conflicts with existing data", "code": "conflict"}
    assert user_client.post(SAMPLE_NOTES, json={"title": "fits"}).status_code == 201


def test_every_endpoint_that_accepts_if_match_checks_it(client: TestClient) -> None:
    """A delete that ignored the header would delete a row that the client has not seen."""
    paths = client.get(f"{settings.API_V1_STR}/openapi.json").json()["paths"]
    accepting = {
        method
        for operations in paths.values()
        for method, operation in operations.items()
        if any(each["name"].lower() == "if-match" for each in operation.get("parameters", []))
    }
    assert accepting == {"put"}
