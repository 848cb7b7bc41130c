"""The two kinds of database session.

SessionLocal is for writing: one transaction, which its owner commits or rolls back.
ReadSession is for reading: each query stands alone, so no BEGIN and no ROLLBACK is sent.
"""

from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from app.core.config import settings

engine = create_engine(
    settings.SQLALCHEMY_DATABASE_URI,
    # A request holds one connection at a time, and at most 40 threads (AnyIO's default)
    # run requests in a process.
    pool_size=20,
    max_overflow=20,
    pool_timeout=5,
    connect_args={"connect_timeout": 2},
)

SessionLocal = sessionmaker(engine, expire_on_commit=False)
ReadSession = sessionmaker(engine.execution_options(isolation_level="AUTOCOMMIT"))
