"""Security headers: every response of the backend has them."""

import base64
import hashlib
import re
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from starlette.responses import Response
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import crud
from app.api.middleware import SecurityHeaders
from app.core.config import settings
from app.main import app
from app.models.user import User

API = settings.API_V1_STR
LOGIN = f"{API}/login/access-token"
ORIGIN = settings.BACKEND_CORS_ORIGINS[0]
DOCS = ["/docs", "/docs/oauth2-redirect", "/docs/static/swagger-ui-bundle.js", "/redoc"]


def assert_secure(response: httpx2.Response) -> None:
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in response.headers


def assert_secure_data(response: httpx2.Response) -> None:
    """Check a response of the API, which may contain tokens or personal data."""
    assert_secure(response)
    policy = response.headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; frame-ancestors 'none'"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{API}/users/me", 200),
        ("HEAD", f"{API}/users/me", 200),
        ("GET", f"{API}/openapi.json", 200),
        ("GET", f"{API}/utils/health/live", 200),
        ("GET", "/api/", 200),
        ("GET", "/api", 307),
        ("GET", f"{API}/users/", 403),
        ("GET", f"{API}/sample-notes/0", 422),
        ("GET", f"{API}/sample-notes/2147483647", 404),
        ("GET", f"{API}/nothing", 404),
        ("GET", "/nothing", 404),
        ("GET", LOGIN, 405),
    ],
)
def test_response_of_api_is_neither_stored_nor_rendered(
    user_client: TestClient, method: str, path: str, status: int
) -> None:
    response = user_client.request(method, path, follow_redirects=False)
    assert response.status_code == status
    assert_secure_data(response)


def test_token_is_not_stored(client: TestClient) -> None:
    for password, status in ((settings.FIRST_SUPERUSER_PASSWORD, 200), ("wrong password", 400)):
        form = {"username": settings.FIRST_SUPERUSER, "password": password}
        response = client.post(LOGIN, data=form)
        assert response.status_code == status
        assert_secure_data(response)
    unauthorized = client.get(f"{API}/users/me")
    assert unauthorized.status_code == 401
    assert_secure_data(unauthorized)


@pytest.mark.parametrize(("origin", "status"), [(ORIGIN, 200), ("https://evil.example", 400)])
def test_preflight_has_security_headers(client: TestClient, origin: str, status: int) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    response = client.options(f"{API}/users/me", headers=headers)
    assert response.status_code == status
    assert_secure_data(response)


@pytest.mark.usefixtures("db")
def test_internal_error_has_security_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> User:
        raise RuntimeError

    monkeypatch.setattr(crud.user, "authenticate", fail)
    form = {"username": "user@example.com", "password": "password"}
    response = TestClient(app, raise_server_exceptions=False).post(LOGIN, data=form)
    assert response.status_code == 500
    assert_secure_data(response)


@pytest.mark.parametrize("path", DOCS)
def test_docs_run_only_their_own_scripts(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert_secure(response)
    assert "Cache-Control" not in response.headers
    policy = dict(
        directive.split(" ", 1)
        for directive in response.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"
    if path.endswith(".js"):
        return
    allowed = policy["script-src"].split()
    assert [source for source in allowed if not source.startswith("'sha256-")] == ["'self'"]
    for script in re.findall(r"<script>(.*?)</script>", response.text, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in allowed
    for source in re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]+)"', response.text):
        assert source.startswith("/docs/static/")


def test_missing_file_of_docs_has_security_headers(client: TestClient) -> None:
    response = client.get("/docs/static/missing.js")
    assert response.status_code == 404
    assert_secure(response)


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("path", [f"{API}/users/me", f"{API}/nothing", "/docs"])
def test_hsts_is_sent_only_over_https(path: str) -> None:
    proxy, other = ("192.0.2.1", 1), ("192.0.2.2", 1)
    # The server runs this middleware, which sets the scheme. Its types are not Starlette's.
    middleware: Any = ProxyHeadersMiddleware
    server = middleware(app, trusted_hosts=[proxy[0]])
    for client, scheme, hsts in [
        (proxy, "https", "max-age=31536000"),
        (proxy, "http", None),
        (other, "https", None),
    ]:
        response = TestClient(server, client=client).get(
            path, headers={"X-Forwarded-Proto": scheme}
        )
        assert response.headers.get("Strict-Transport-Security") == hsts


def test_endpoint_can_replace_a_header() -> None:
    cached = Response(headers={"Cache-Control": "public", "Content-Security-Policy": "sandbox"})
    response = TestClient(SecurityHeaders(cached)).get("/")
    assert_secure(response)
    assert response.headers.get_list("Cache-Control") == ["public"]
    assert response.headers.get_list("Content-Security-Policy") == ["sandbox"]
