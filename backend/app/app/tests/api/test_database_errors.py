"""Database errors in responses and in the log."""

import logging
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.api.deps import SessionDep
from app.api.errors import add_error_handlers
from app.api.exceptions import Conflict
from app.api.routing import APIRouter
from app.db.session import read_engine

router = APIRouter()


@router.post("/")
def execute(db: SessionDep, statement: str) -> None:
    db.execute(text(statement))


class TitleTaken(Conflict):
    pass


@router.post("/subclass")
def fail() -> None:
    raise TitleTaken


@pytest.fixture
def failing_client(db: Session) -> Iterator[TestClient]:
    app = FastAPI()
    add_error_handlers(app)
    app.include_router(router)
    with TestClient(app) as client:
        yield client


RAISE = "DO $$BEGIN RAISE EXCEPTION USING ERRCODE = '{}'; END$$"


@pytest.mark.parametrize(
    ("sqlstate", "status", "code"),
    [
        ("23505", 409, "conflict"),  # unique
        ("23503", 409, "conflict"),  # foreign key
        ("23514", 409, "conflict"),  # check
        ("57014", 503, "statement_timeout"),
        ("40P01", 503, "server_busy"),  # deadlock
        ("40001", 503, "server_busy"),  # serialization
        ("55P03", 503, "server_busy"),  # lock not available
        ("57P01", 503, "database_unreachable"),  # shutdown
        ("53300", 503, "database_unreachable"),  # too many connections
    ],
)
def test_database_errors_are_mapped_and_logged(
    failing_client: TestClient,
    caplog: pytest.LogCaptureFixture,
    sqlstate: str,
    status: int,
    code: str,
) -> None:
    with caplog.at_level(logging.WARNING, "app.api.errors"):
        response = failing_client.post("/", params={"statement": RAISE.format(sqlstate)})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert "POST /" in caplog.text


@pytest.mark.parametrize("sqlstate", ["23502", "54000", "42601"])
def test_permanent_errors_are_not_mapped(failing_client: TestClient, sqlstate: str) -> None:
    """Retrying can't fix a NOT NULL violation, an exceeded limit or a syntax error."""
    with pytest.raises(DBAPIError):
        failing_client.post("/", params={"statement": RAISE.format(sqlstate)})


def test_subclass_of_an_error_inherits_its_response(failing_client: TestClient) -> None:
    response = failing_client.post("/subclass")
    assert (response.status_code, response.json()["code"]) == (409, "conflict")


def test_read_connections_reject_writes() -> None:
    with read_engine.connect() as connection, pytest.raises(DBAPIError, match="read-only"):
        connection.execute(text('DELETE FROM "user"'))
