"""The two kinds of database session.

SessionLocal is for writing. It has one transaction, which the code that opened the session commits
or rolls back. ReadSession is for reading. It sends no BEGIN or COMMIT: each query is independent.
"""

import select
import time
from typing import Any

import psycopg2
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from app.core.config import settings
from app.db import errors  # noqa: F401  # listens to every engine

# The number of threads in a process that serve requests. A thread uses one connection at a time, so
# each of the two pools needs no more connections than threads. Four processes use up to 80
# connections, fewer than PostgreSQL's default limit of 100.
THREADS = 10

# A connection that was idle for less time is not checked, because no database restarts that fast.
# During a check, another thread may take over. The switch costs a busy process more than the check.
CHECK_AFTER_SECONDS = 0.1
# A connection that was idle for longer is pinged before its next use.
PING_AFTER_SECONDS = 60


def connect_args(*options: str) -> dict[str, Any]:
    """Return the arguments for libpq. Options in the database URL override these options."""
    given = make_url(settings.SQLALCHEMY_DATABASE_URI).normalized_query.get("options", ())
    timeout = f"-c statement_timeout={settings.POSTGRES_STATEMENT_TIMEOUT_SECONDS}s"
    # The driver returns points in time in the time zone of the session.
    utc = "-c timezone=UTC"
    return {"connect_timeout": 2, "options": " ".join([timeout, utc, *options, *given])}


ENGINE_OPTIONS: dict[str, Any] = {
    "pool_size": THREADS,
    "max_overflow": 0,
    "pool_timeout": 5,
    # Keep password hashes out of logged errors.
    "hide_parameters": True,
}


class ReadOnlySession(Session):
    """Rejects writes: without a transaction, a change could be saved partially."""

    def commit(self) -> None:
        """Close the session. A real commit would only let another thread take over."""
        self.close()

    def add(self, *_: object, **__: object) -> None:
        reject_writes()


engine = create_engine(
    settings.SQLALCHEMY_DATABASE_URI, connect_args=connect_args(), **ENGINE_OPTIONS
)
# Separate pool: toggling autocommit on a shared connection costs more than a query.
read_engine = create_engine(
    settings.SQLALCHEMY_DATABASE_URI,
    connect_args=connect_args("-c default_transaction_read_only=on"),
    isolation_level="AUTOCOMMIT",
    skip_autocommit_rollback=True,
    pool_reset_on_return=None,
    **ENGINE_OPTIONS,
)


@event.listens_for(engine, "checkout")
@event.listens_for(read_engine, "checkout")
def replace_stale_connection(
    connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection
) -> None:
    """Reconnect if the database has closed the connection, for example because it restarted.

    The socket of an idle connection has nothing to read, unless the database closed it. Polling the
    socket takes 1.5 µs. A ping at each use (pool_pre_ping) would take 23 µs. Both times were
    measured on one machine.
    """
    now = time.monotonic()
    # This includes the duration of the last use, which is short.
    idle_seconds = now - entry.info.get("used_at", now)
    entry.info["used_at"] = now
    if idle_seconds < CHECK_AFTER_SECONDS:
        return
    poll = select.poll()
    try:
        poll.register(connection.fileno(), select.POLLIN)
        if poll.poll(0) or idle_seconds > PING_AFTER_SECONDS:
            engine.dialect.do_ping(connection)
    except psycopg2.Error as error:
        # The pool reacts to this error with a new connection.
        raise DisconnectionError from error


SessionLocal = sessionmaker(engine, expire_on_commit=False)
ReadSession = sessionmaker(read_engine, class_=ReadOnlySession)


@event.listens_for(ReadOnlySession, "before_flush")
def reject_writes(*_: Any) -> None:
    raise RuntimeError("This session only reads; to write, use SessionDep or SessionLocal")
