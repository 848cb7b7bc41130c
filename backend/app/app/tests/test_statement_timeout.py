"""Slow SQL statements of requests are cancelled. For those of tasks, see test_worker.py."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import delete, insert

from app.core.config import settings
from app.db.session import SessionLocal
from app.models import User
from app.tests.utils.sample_note import SAMPLE_NOTES, SampleNote
from app.tests.utils.server import Server, running_server
from app.tests.utils.user import auth_headers, create_random_user
from app.tests.utils.worker import BACKEND

TOO_LONG = {"detail": "The request took too long, try again later", "code": "statement_timeout"}


@pytest.fixture(scope="module")
def server(database: None) -> Iterator[Server]:
    app = "app.tests.utils.failing_app:app"
    with running_server(app, POSTGRES_STATEMENT_TIMEOUT_SECONDS="1") as server:
        yield server


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_long_statement_is_cancelled(server: Server, method: str) -> None:
    url, started = f"{server.root}/sleep", time.monotonic()
    response = server.client.request(method, url, params={"seconds": 20})
    assert 1 <= time.monotonic() - started < 10
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert response.json() == TOO_LONG
    assert "can't be reached" not in server.output()
    # The connection is still usable.
    for _ in range(3):
        assert server.client.request(method, url, params={"seconds": 0}).status_code == 200


def test_timeout_includes_lock_waits(server: Server) -> None:
    with SessionLocal.begin() as db:
        user = create_random_user(db)
    headers = auth_headers(user)
    with SessionLocal() as db:
        db.get(User, user.id, with_for_update=True)
        response = server.client.put("/users/me", headers=headers, json={"full_name": "x"})
        assert (response.status_code, response.json()) == (503, TOO_LONG)
    assert server.client.put("/users/me", headers=headers, json={}).status_code == 200


def test_timeout_limits_costly_searches(server: Server) -> None:
    """The pattern almost matches at every position of 100 long texts."""
    with SessionLocal.begin() as db:
        user = create_random_user(db)
        rows = [{"title": "x", "text": "a" * 10_000, "owner_id": user.id}] * 100
        db.execute(insert(SampleNote), rows)
    started = time.monotonic()
    url, params = server.root + SAMPLE_NOTES, {"q": "a" * 254 + "b"}
    response = server.client.get(url, headers=auth_headers(user), params=params, timeout=30)
    assert response.status_code in (200, 503)
    assert time.monotonic() - started < 5
    with SessionLocal.begin() as db:
        db.execute(delete(User).where(User.id == user.id))


def connection_settings(program: str, **environment: str) -> str:
    """Return the connection settings that a program prints in a new process."""
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=BACKEND,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()


SHOW = """
from sqlalchemy import text
from app.db.session import engine, read_engine
for each in (engine, read_engine):
    with each.connect() as connection:
        print(connection.scalar(text("SHOW statement_timeout")))
        print(connection.scalar(text("SHOW work_mem")))
"""


@pytest.mark.parametrize(("setting", "expected"), [("", "5s"), ("0", "0")])
def test_timeout_applies_to_both_engines(setting: str, expected: str) -> None:
    shown = connection_settings(SHOW, POSTGRES_STATEMENT_TIMEOUT_SECONDS=setting).split()
    assert shown[::2] == [expected] * 2


def test_connection_options_in_url_are_kept() -> None:
    uri = f"{settings.SQLALCHEMY_DATABASE_URI}?options=-c%20work_mem%3D5MB"
    assert connection_settings(SHOW, SQLALCHEMY_DATABASE_URI=uri).split() == ["5s", "5MB"] * 2
