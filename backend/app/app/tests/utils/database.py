from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import ProgrammingError
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
