from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed


@contextmanager
def new_database(url: URL, server: URL) -> Iterator[None]:
    """Create a database, by a connection to another one of the server. Drop it afterwards."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        _drop(connection, url)
        connection.execute(text(f'CREATE DATABASE "{url.database}"'))
        yield
        _drop(connection, url)
    engine.dispose()


@retry(
    retry=retry_if_exception_type(ProgrammingError),
    wait=wait_fixed(0.2),
    stop=stop_after_delay(20),
    reraise=True,
)
def _drop(connection: Connection, url: URL) -> None:
    """Drop a database, repeatedly while autovacuum works in it: only a superuser may end that."""
    connection.execute(text(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)'))


def wait_until_blocked(db: Session) -> None:
    """Wait until a lock of this session blocks another connection."""
    blocked = (
        "SELECT count(*) FROM pg_locks"
        " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    )
    for _ in range(500):
        if db.scalar(text(blocked)):
            return
        db.execute(text("SELECT pg_sleep(0.01)"))
    pytest.fail("the request did not wait for the lock")
