"""The connection pools."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine, text

from app.core.config import settings
from app.db import session
from app.db.session import THREADS, SessionLocal, engine, read_engine
from app.tests.utils.sample_note import SAMPLE_NOTES
from app.tests.utils.user import auth_headers, create_random_user

API = settings.API_V1_STR


def close_connections() -> int:
    """Close all connections to the test's database, as a restart does. Return their number."""
    server = create_engine(engine.url.set(database="postgres"))
    with server.connect() as connection:
        ended = connection.scalars(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = :database"
            ),
            {"database": engine.url.database},
        ).all()
    server.dispose()
    return len(ended)


@pytest.mark.parametrize("each", [engine, read_engine], ids=["write", "read"])
def test_sessions_use_utc(each: Engine) -> None:
    """The time zone of the server does not matter."""
    setting = text("SELECT setting, source FROM pg_settings WHERE name = 'TimeZone'")
    with each.connect() as connection:
        assert tuple(connection.execute(setting).one()) == ("UTC", "client")


def test_requests_survive_database_restart(committed_client: TestClient) -> None:
    with SessionLocal.begin() as db:
        headers = auth_headers(create_random_user(db))

    def write(title: str) -> int:
        body = {"title": title}
        return committed_client.post(SAMPLE_NOTES, headers=headers, json=body).status_code

    def read(_: str) -> int:
        return committed_client.get(SAMPLE_NOTES, headers=headers).status_code

    numbers = [str(number) for number in range(2 * THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        # Fill both pools.
        assert set(pool.map(write, numbers)) == {201}
        for request, status in ((read, 200), (write, 201)):
            assert close_connections() > 1
            time.sleep(session.CHECK_AFTER_SECONDS)
            assert set(pool.map(request, numbers)) == {status}


def test_idle_connection_is_pinged(
    committed_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a ping reveals that a router has dropped the connection silently."""
    ready = f"{API}/utils/health/ready"
    assert committed_client.get(ready).status_code == 200
    pings = []

    def fail(_: object) -> bool:
        pings.append(1)
        raise psycopg2.OperationalError

    monkeypatch.setattr(engine.dialect, "do_ping", fail)
    assert committed_client.get(ready).status_code == 200
    assert pings == []
    monkeypatch.setattr(session, "PING_AFTER_SECONDS", 0)
    time.sleep(session.CHECK_AFTER_SECONDS)
    # The ping of the first connection fails. The new connection is used without a ping.
    assert committed_client.get(ready).status_code == 200
    assert pings == [1]
