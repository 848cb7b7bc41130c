"""The two kinds of database session.

SessionLocal is for writing: one transaction, which its owner commits or rolls back.
ReadSession is for reading: each query stands alone, so nothing is sent to begin or to end.
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

# A request works in one of THREADS threads, and holds one connection while it does: no
# more are needed in either pool. Four processes stay below PostgreSQL's usual limit of 100.
THREADS = 10

# No database restarts in less. To look at a socket lets other threads run, which costs a busy
# process more than the look.
LOOK_AFTER_SECONDS = 0.1
# A connection that was idle for longer is pinged before its next use.
PING_AFTER_SECONDS = 60


def connect_args(*options: str) -> dict[str, Any]:
    """Return libpq's arguments: timeout, these options, and those of a given URL, which win."""
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
    """Rejects writes: without a transaction, half of a change could stay."""

    def commit(self) -> None:
        """Close the session: there is nothing to commit, and a commit lets other threads run."""
        if AFTER_COMMIT in self.info:
            raise RuntimeError("To enqueue a task, ask for SessionDep or SessionLocal")
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
    """Connect again when the database has closed the connection, as a restart does.

    The socket of an idle connection has nothing to read, unless the database closed it. To look
    costs 1.5 µs. A ping at each use (pool_pre_ping) would cost 23 µs on one machine.
    """
    now = time.monotonic()
    # Of its last use only the beginning is known, which is close enough to the end.
    idle_seconds = now - entry.info.get("used_at", now)
    entry.info["used_at"] = now
    if idle_seconds < LOOK_AFTER_SECONDS:
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
def refuse_to_write(*_: Any) -> None:
    raise RuntimeError("This session only reads; to write, ask for SessionDep or SessionLocal")
