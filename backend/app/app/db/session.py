"""The two kinds of database session.

SessionLocal is for writing: one transaction, which its owner commits or rolls back.
ReadSession is for reading: each query stands alone, so no BEGIN and no ROLLBACK is sent.
"""

from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from app.core.config import settings

# A request works in one of THREADS threads, and holds one connection while it does: no
# more are needed in either pool. Four processes stay below PostgreSQL's limit of 100.
THREADS = 10
POOL_TIMEOUT_SECONDS = 5
CONNECT_TIMEOUT_SECONDS = 2

engine = create_engine(
    settings.SQLALCHEMY_DATABASE_URI,
    pool_size=THREADS,
    max_overflow=0,
    pool_timeout=POOL_TIMEOUT_SECONDS,
    hide_parameters=True,  # An error that is logged must not tell passwords' hashes.
    connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS},
)
# A pool of its own, because switching a connection between the two modes costs more than a query.
read_engine = create_engine(
    settings.SQLALCHEMY_DATABASE_URI,
    isolation_level="AUTOCOMMIT",
    pool_reset_on_return=None,
    pool_size=THREADS,
    max_overflow=0,
    pool_timeout=POOL_TIMEOUT_SECONDS,
    hide_parameters=True,
    connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS},
)

SessionLocal = sessionmaker(engine, expire_on_commit=False)
ReadSession = sessionmaker(read_engine, expire_on_commit=False)
