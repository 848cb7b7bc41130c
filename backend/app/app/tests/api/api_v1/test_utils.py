import sys
import time

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, create_engine
from sqlalchemy.orm import Session

from app.core.config import settings
from app.db.session import ReadSession
from app.tests.utils.forwarder import Forwarder, forwarded_redis
from app.tests.utils.server import running_server
from app.tests.utils.utils import random_email

UTILS = f"{settings.API_V1_STR}/utils"


def test_api_root_links_work(client: TestClient) -> None:
    about = client.get("/api/").json()
    assert about["name"] == settings.PROJECT_NAME
    for link in ("docs", "redoc", "schema", "health"):
        assert client.get(about[link]).status_code == 200


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_docs_load_no_external_files(client: TestClient, page: str) -> None:
    html = client.get(page).text
    links = [word.split('"')[1] for word in html.split() if word.startswith(('src="', 'href="'))]
    assert links
    for link in links:
        assert link.startswith("/docs/static/")
        assert client.get(link).status_code == 200


def test_health_reports_running_services(client: TestClient) -> None:
    assert client.get(f"{UTILS}/health/live").status_code == 200
    assert client.get(f"{UTILS}/health/ready").json() == {
        "database": "up",
        "redis": "up",
        "schema_revision": "current",
    }


def test_ready_check_opens_no_connections_or_files(
    client: TestClient, connection: Connection
) -> None:
    """The endpoint is public, so a request must be cheap."""
    client.get(f"{UTILS}/health/ready")
    opened: list[str] = []

    def collect(name: str, arguments: tuple[object, ...]) -> None:
        if listening and name in ("socket.connect", "open"):
            opened.append(f"{name} {arguments}")

    listening = False
    sys.addaudithook(collect)
    listening = True
    for _ in range(3):
        assert client.get(f"{UTILS}/health/ready").json()["redis"] == "up"
    listening = False
    assert opened == []


def test_ready_check_detects_redis_outage_and_recovery(forwarder: Forwarder) -> None:
    with running_server(**forwarded_redis(forwarder)) as server:
        for _ in range(2):
            assert server.client.get("/utils/health/ready").json()["redis"] == "up"
            with forwarder.down():
                started = time.monotonic()
                assert server.client.get("/utils/health/ready").json()["redis"] == "down"
                assert time.monotonic() - started < 2
            assert server.client.get("/utils/health/ready").json()["redis"] == "up"
        with forwarder.holding_responses():
            started = time.monotonic()
            assert server.client.get("/utils/health/ready").json()["redis"] == "down"
            assert time.monotonic() - started < 3
        assert server.client.get("/utils/health/ready").json()["redis"] == "up"


def test_test_email_requires_mail_settings(
    superuser_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "EMAILS_ENABLED", False)
    response = superuser_client.post(f"{UTILS}/test-email/", params={"email_to": random_email()})
    assert response.status_code == 503
    assert response.json()["detail"].startswith("Mail is not configured")


@pytest.mark.parametrize("path", ["/test-celery/", "/test-email/?email_to=a@example.com"])
def test_utils_require_superuser(user_client: TestClient, path: str) -> None:
    response = user_client.post(UTILS + path, json={"msg": "x"})
    assert response.status_code == 403


def test_unreachable_database_is_503(client: TestClient, db: Session) -> None:
    """The response says when to retry, and contains no internal details."""
    nowhere = create_engine("postgresql+psycopg2://user:secret@127.0.0.1:1/app")
    ReadSession.configure(bind=nowhere)
    response = client.get(f"{UTILS}/health/ready")
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert response.json() == {
        "detail": "The database can't be reached, try again later",
        "code": "database_unreachable",
    }
    assert client.get(f"{UTILS}/health/live").status_code == 200


def test_unreachable_redis_fails_only_test_celery() -> None:
    """Requests that enqueue a mail after their commit still succeed."""
    form = {"username": settings.FIRST_SUPERUSER, "password": settings.FIRST_SUPERUSER_PASSWORD}
    with running_server(CELERY_BROKER_URL="redis://127.0.0.1:1/0") as server:
        client = server.client
        token = client.post("/login/access-token", data=form).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        ready = client.get("/utils/health/ready")
        assert (ready.status_code, ready.json()["redis"]) == (200, "down")
        assert client.post(f"/password-recovery/{random_email()}").status_code == 202
        queue = client.post("/utils/test-celery/", headers=headers, json={"msg": "x"})
        assert queue.status_code == 503
        assert queue.headers["Retry-After"]
        assert queue.json() == {
            "detail": "The task queue can't be reached, try again later",
            "code": "queue_unreachable",
        }
