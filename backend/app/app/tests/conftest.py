"""Fixtures for all tests.

Each process of a parallel run has its own database, Redis number and mail server.
Importing app reads the settings, so the environment is changed before that import.
"""

# ruff: noqa: E402

from app.tests.utils.environment import use_test_services

use_test_services()

import os
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from alembic.config import Config
from fastapi.testclient import TestClient
from sqlalchemy import Connection, delete
from sqlalchemy.orm import Session

from alembic import command
from app import crud
from app.core import security
from app.core.celery_app import celery_app
from app.core.config import settings
from app.db.init_db import init_db
from app.db.migrations import ALEMBIC_INI
from app.db.session import ReadSession, SessionLocal, engine, read_engine
from app.main import app
from app.models import User
from app.tests.utils.completeness import *  # noqa: F403  # hooks, which pytest finds by name
from app.tests.utils.database import new_database
from app.tests.utils.forwarder import Forwarder
from app.tests.utils.hashing import CheckingThread
from app.tests.utils.mailbox import Mailbox
from app.tests.utils.sample_note import SampleNote
from app.tests.utils.sample_note_api import *  # noqa: F403  # adds the routes to the app
from app.tests.utils.user import (
    auth_headers,
    authentication_token_from_email,
    create_random_user,
)
from app.tests.utils.utils import get_superuser_token_headers
from app.tests.utils.worker import running_worker

# With the parameters of production, hashing would take a third of the run.
security.password_context.update(argon2__memory_cost=8, argon2__time_cost=1)
security.hashing_thread = CheckingThread(1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one more than the number of cores, because some tests mostly wait."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that mostly wait first. If they ran last, other processes would be idle."""
    items.sort(key=lambda item: not item.path.name.startswith("test_worker"))


@pytest.fixture(scope="session", autouse=True)
def database() -> Iterator[None]:
    """Create and migrate a database. Drop it after the last test."""
    url = engine.url
    assert re.search(r"_test_\d+$", url.database or ""), "not a test database"
    with new_database(url, url.set(database="postgres")):
        command.upgrade(Config(ALEMBIC_INI), "head")
        SampleNote.metadata.create_all(engine)
        with SessionLocal.begin() as session:
            init_db(session)
        yield
        engine.dispose()
        read_engine.dispose()


@pytest.fixture
def connection() -> Iterator[Connection]:
    """The connection that all sessions share, including the app's. It is rolled back at the end.

    Each session works in a savepoint of the connection's transaction. Its commits release only
    that savepoint.
    """
    with engine.connect() as connection, connection.begin() as transaction:
        for factory in (SessionLocal, ReadSession):
            factory.configure(bind=connection, join_transaction_mode="create_savepoint")
        yield connection
        transaction.rollback()
        SessionLocal.configure(bind=engine, join_transaction_mode="conditional_savepoint")
        ReadSession.configure(bind=read_engine, join_transaction_mode="conditional_savepoint")


@pytest.fixture
def db(connection: Connection) -> Iterator[Session]:
    """A session that is rolled back after the test. The `client` fixture sees its writes."""
    with SessionLocal() as session:
        yield session


@pytest.fixture
def client(db: Session) -> Iterator[TestClient]:
    with TestClient(app) as test_client:
        yield test_client


@pytest.fixture
def user(db: Session) -> User:
    """The user who is logged in with `user_client`."""
    return create_random_user(db)


@pytest.fixture
def user_client(user: User) -> Iterator[TestClient]:
    """A client that is logged in as an ordinary user."""
    with TestClient(app, headers=auth_headers(user)) as test_client:
        yield test_client


@pytest.fixture
def superuser(db: Session) -> User:
    """The user who is logged in with `superuser_client`."""
    user = crud.user.get_by_email(db, email=settings.FIRST_SUPERUSER)
    assert user is not None
    return user


@pytest.fixture
def superuser_client(superuser: User) -> Iterator[TestClient]:
    with TestClient(app, headers=auth_headers(superuser)) as test_client:
        yield test_client


@pytest.fixture
def committed_client() -> Iterator[TestClient]:
    """A client whose requests commit. New users and their rows are deleted after the test."""
    with TestClient(app) as test_client:
        yield test_client
    with SessionLocal.begin() as session:
        session.execute(delete(User).where(User.email != settings.FIRST_SUPERUSER))


@pytest.fixture
def superuser_token_headers(client: TestClient) -> dict[str, str]:
    return get_superuser_token_headers(client)


@pytest.fixture
def normal_user_token_headers(client: TestClient, db: Session) -> dict[str, str]:
    return authentication_token_from_email(client=client, email=settings.EMAIL_TEST_USER, db=db)


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    """A real SMTP server that stores the mails it receives."""
    with Mailbox.listening(settings.SMTP_PORT) as server:
        yield server


@pytest.fixture(scope="session")
def worker(database: None, mailbox: Mailbox) -> Iterator[None]:
    """A real Celery worker that uses the database, Redis and mail server of the tests."""
    celery_app.control.purge()
    # Run one task at a time, in a child process that the task may kill.
    with running_worker(
        "--concurrency=1",
        "--include=app.tests.utils.tasks",
        env={"POSTGRES_STATEMENT_TIMEOUT_SECONDS": "1"},
    ):
        yield


@pytest.fixture
def forwarder() -> Iterator[Forwarder]:
    """A proxy in front of the tests' Redis, to simulate outages."""
    url = urlsplit(settings.CELERY_BROKER_URL)
    forwarder = Forwarder(url.hostname or "localhost", url.port or 6379)
    yield forwarder
    forwarder.close()
