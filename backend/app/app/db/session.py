"""The two kinds of database session.

SessionLocal is for writing: one transaction, which its owner commits or rolls back.
ReadSession is for reading: each query stands alone, so nothing is sent to begin or to end.
"""

from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session, sessionmaker

from app.core.config import settings

# A request works in one of THREADS threads, and holds one connection while it does: no
# more are needed in either pool. Four processes stay below PostgreSQL's usual limit of 100.
THREADS = 10

OPTIONS: dict[str, Any] = {
    "pool_size": THREADS,
    "max_overflow": 0,
    "pool_timeout": 5,
    "connect_args": {"connect_timeout": 2},
    # An error that is logged must not tell passwords' hashes.
    "hide_parameters": True,
}


class ReadOnlySession(Session):
    """Refuses to write: without a transaction, half of a change could stay."""

    def commit(self) -> None:
        # There is nothing to commit; psycopg2 would only give way to other threads.
        self.close()


engine = create_engine(settings.SQLALCHEMY_DATABASE_URI, **OPTIONS)
# A pool of its own: switching a connection between the two modes costs more than a query, too.
read_engine = create_engine(
    settings.SQLALCHEMY_DATABASE_URI,
    isolation_level="AUTOCOMMIT",
    skip_autocommit_rollback=True,
    pool_reset_on_return=None,
    **OPTIONS,
)

SessionLocal = sessionmaker(engine, expire_on_commit=False)
ReadSession = sessionmaker(read_engine, class_=ReadOnlySession)


@event.listens_for(ReadOnlySession, "before_flush")
def refuse_to_write(*_: Any) -> None:
    raise RuntimeError("This session only reads; to write, ask for SessionDep or SessionLocal")
