"""The app with additional endpoints that raise unexpected errors while they handle secrets."""

import logging

from fastapi import Request
from sqlalchemy import func, insert, select, update

from app.api.deps import ReadSessionDep, SessionDep
from app.api.routing import Route
from app.main import app
from app.models import User
from app.schemas.token import NewPassword
from app.tests.utils import sample_note_api  # noqa: F401  # adds its routes


class Bug(Exception):
    pass


class MessageBug(Exception):
    pass


@app.post("/fail/message/{token}")
def fail_with_message(token: str, body: NewPassword) -> None:
    """Fail with secrets in the error's message and note, in a log line and in the path."""
    logging.getLogger(__name__).error("no use for %s", token, extra={"password": body.new_password})
    error = MessageBug(f"can't use {body.token} of {body.new_password!r}")
    error.add_note(f"stored: {body.new_password}")
    raise error


@app.post("/fail/bug")
def fail(request: Request, body: NewPassword) -> None:
    local_variable = {"password": body.new_password, "headers": dict(request.headers)}
    if local_variable:
        raise Bug("a bug\n2026-01-01 00:00:00,000 INFO [-] app: \x1b[31mforged\u2028line")


@app.post("/fail/not-null")
def fail_not_null(db: SessionDep, body: NewPassword) -> None:
    """Violate NOT NULL. PostgreSQL's message contains the whole row."""
    try:
        db.execute(insert(User).values(email=None, hashed_password=body.new_password))
    except Exception as error:
        raise Bug from error


@app.post("/fail/statement")
def fail_statement(db: SessionDep, body: NewPassword) -> None:
    """Send an invalid statement. PostgreSQL's message quotes a line of it, with values."""
    statement = update(User).values(hashed_password=body.new_password)
    db.connection().exec_driver_sql(
        'UPDATE "user" SET nonsense = 1, hashed_password = %(hashed_password)s',
        statement.compile().params,
    )


def sleep_reading(db: ReadSessionDep, seconds: float) -> None:
    db.scalar(select(func.pg_sleep(seconds)))


def sleep_writing(db: SessionDep, seconds: float) -> None:
    db.scalar(select(func.pg_sleep(seconds)))


app.router.route_class = Route
app.get("/sleep")(sleep_reading)
app.post("/sleep")(sleep_writing)
