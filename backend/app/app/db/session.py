"""The two kinds of database session.

SessionLocal is for writing: one transaction, which the code that opened it commits or rolls back.
ReadSession is for reading: it sends no BEGIN and no COMMIT, so each query is independent.
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

from app.core.celery_app import AFTER_COMMIT
from app.core.config import settings
from app.db import errors  # noqa: F401  # listens to every engine

# Each of these threads works on one request and holds one connection, so neither pool needs more.
# Four processes with two pools stay below PostgreSQL's default limit of 100 connections.
THREADS = 10

# A socket that was idle for less is not checked, because no database restarts faster. A check lets
# other threads run, which costs a busy process more than the check itself.
CHECK_AFTER_SECONDS = 0.1
# A connection that was idle for longer is pinged before its next use.
PING_AFTER_SECONDS = 60


def connect_args(*options: str) -> dict[str, Any]:
    """Return libpq's arguments. Options in the database URL override the given ones."""
    given = make_url(settings.SQLALCHEMY_DATABASE_URI).normalized_query.get("options", ())
    timeout = f"-c statement_timeout={settings.POSTGRES_STATEMENT_TIMEOUT_SECONDS}s"
    return {"connect_timeout": 2, "options": " ".join([timeout, *options, *given])}


ENGINE_OPTIONS: dict[str, Any] = {
    "pool_size": THREADS,
    "max_overflow": 0,
    "pool_timeout": 5,
    # Keep password hashes out of logged errors.
    "hide_parameters": True,
}


class ReadOnlySession(Session):
    """Rejects writes: without a transaction, a change could be saved in part."""

    def commit(self) -> None:
        """Close the session. A real commit would have no effect, except that other threads run."""
        if AFTER_COMMIT in self.info:
            raise RuntimeError("To enqueue a task, use SessionDep or SessionLocal")
        self.close()


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
    """Reconnect if the database has closed the connection, for example by a restart.

    The socket of an idle connection has nothing to read, unless the database closed it. Checking
    that costs 1.5 µs. A ping at each use (pool_pre_ping) would cost 23 µs, measured on one machine.
    """
    now = time.monotonic()
    # Measured from the start of the last use, which is close enough to its end.
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
        # The pool connects again.
        raise DisconnectionError from error


SessionLocal = sessionmaker(engine, expire_on_commit=False)
ReadSession = sessionmaker(read_engine, class_=ReadOnlySession)


@event.listens_for(ReadOnlySession, "before_flush")
def reject_writes(*_: Any) -> None:
    raise RuntimeError("This session only reads; to write, use SessionDep or SessionLocal")
