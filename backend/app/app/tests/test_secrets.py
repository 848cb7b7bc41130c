"""Logs and Sentry events contain no passwords, hashes or tokens."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from passlib.hash import bcrypt
from pydantic import BaseModel, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import schemas
from app.core.celery_app import celery_app
from app.core.config import settings
from app.core.logging import safe_text
from app.core.security import create_access_token, get_password_hash
from app.crud.exceptions import EmailTaken
from app.tests.utils.sentry import FakeSentry
from app.tests.utils.server import Server, running_server
from app.tests.utils.user import create_random_user
from app.tests.utils.utils import random_lower_string
from app.tests.utils.worker import running_worker

PASSWORD = "canary of a password"
HASH = get_password_hash("a password")
TOKEN = create_access_token(1, session=1, secret=HASH)
OPAQUE = "canary-of-an-opaque-token"
SECRETS = [PASSWORD, HASH, TOKEN, OPAQUE, *HASH.split("$")[-2:], *TOKEN.split(".")[1:]]
QUERY = f"?token={OPAQUE}&q=visible&new_password={OPAQUE}&reset-token={TOKEN}"
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Cookie": f"session={OPAQUE}",
    "X-Api-Key": OPAQUE,
    "X-Forwarded-For": "203.0.113.9",
    "Referer": f"http://localhost/reset-password?token={OPAQUE}",
}
FAILURES = {
    "/fail/bug": "Bug",
    f"/fail/message/{TOKEN}": "MessageBug",
    "/fail/not-null": "NotNullViolation",
    "/fail/statement": "UndefinedColumn",
}


def leaks(written: str, *secrets: str) -> list[str]:
    """Return the secrets in a text, and the phrases with which PostgreSQL introduces values."""
    found = [each for each in secrets if each in written or json.dumps(each)[1:-1] in written]
    return found + [each for each in ("Failing row", "DETAIL", "LINE 1") if each in written]


def send_failing_requests(server: Server) -> None:
    """Send requests with secrets in body, headers, query and database row."""
    for path in FAILURES:
        response = server.client.post(
            server.root + path + QUERY,
            json={"token": TOKEN, "new_password": PASSWORD if "bug" in path else HASH},
            # The server closes a connection after an unhandled error: do not reuse it.
            headers=HEADERS | {"Connection": "close"},
        )
        assert response.status_code == 500
        assert response.json() == {"detail": "Internal server error", "code": "internal_error"}


@pytest.fixture(scope="module")
def sentry(database: None) -> Iterator[FakeSentry]:
    with (
        FakeSentry.listening() as (sentry, dsn),
        running_server("app.tests.utils.failing_app:app", SENTRY_DSN=dsn) as server,
    ):
        send_failing_requests(server)
        for exception in FAILURES.values():
            sentry.wait_for(exception)
        yield sentry


@pytest.fixture(scope="module")
def log(database: None) -> str:
    # Without Sentry, because its middleware re-raises errors without their causes.
    with running_server("app.tests.utils.failing_app:app") as server:
        send_failing_requests(server)
        deadline = time.monotonic() + 20
        while "UndefinedColumn" not in server.output():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return server.output()


@pytest.mark.parametrize("exception", FAILURES.values())
def test_sentry_event_omits_request_data(sentry: FakeSentry, exception: str) -> None:
    event = sentry.wait_for(exception)
    assert event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert event["request"]["url"].endswith((*FAILURES, "/fail/message/***"))
    assert event["environment"] == settings.ENVIRONMENT
    frames = [
        frame for value in event["exception"]["values"] for frame in value["stacktrace"]["frames"]
    ]
    assert not any("vars" in frame for frame in frames)
    assert not {"data", "cookies", "query_string"} & set(event["request"])
    assert not event.get("breadcrumbs", {}).get("values")


def test_no_secret_reaches_sentry(sentry: FakeSentry) -> None:
    assert leaks("\n".join(sentry.envelopes), *SECRETS, "203.0.113.9") == []


def test_log_contains_errors_but_no_secrets(log: str) -> None:
    assert leaks(log, *FAILURES.values()) == [*FAILURES.values()]
    assert leaks(log, *SECRETS) == []
    # Other query parameters are still logged.
    assert leaks(log, "q=visible") == ["q=visible"]


def test_traceback_is_readable_and_cannot_forge_lines(log: str) -> None:
    lines = log.split("\n")
    assert any(re.match(r'\s+File ".*failing_app.py", line', line) for line in lines)
    assert any("forged" in line for line in lines)
    for line in lines:
        assert line.replace("\t", " ").isprintable()
        assert not line.startswith("2026-01-01 00:00:00,000")


def test_task_errors_contain_no_secrets(tmp_path: Path) -> None:
    log, secret = tmp_path / "worker.log", random_lower_string()
    with (
        FakeSentry.listening() as (sentry, dsn),
        running_worker(
            "--concurrency=1",
            "--include=app.tests.utils.failing_tasks",
            "--queues=failing",
            name="failing",
            env={"SENTRY_DSN": dsn},
            log=log,
        ),
    ):
        for task in ("fail_with_secret", "fail_in_database"):
            name = f"app.tests.utils.failing_tasks.{task}"
            celery_app.send_task(name, args=[secret], queue="failing")
        for exception in ("TaskBug", "NotNullViolation"):
            event = sentry.wait_for(exception)
            assert event["exception"]["values"][-1]["stacktrace"]["frames"]
        envelopes = "\n".join(sentry.envelopes)
    for written in (envelopes, log.read_text()):
        assert leaks(written, secret) == []
        assert leaks(written, "TaskBug", "NotNullViolation") == ["TaskBug", "NotNullViolation"]
    assert "\x1b" not in log.read_text()


@pytest.fixture(scope="module")
def offline_server() -> Iterator[Server]:
    """A server without a database. It logs an error with the path of each request."""
    unreachable = "postgresql://nobody@127.0.0.1:1/nothing"
    with running_server(SQLALCHEMY_DATABASE_URI=unreachable) as server:
        yield server


@pytest.mark.parametrize("algorithm", ["argon2id", "argon2i", "argon2d", "bcrypt"])
@pytest.mark.parametrize("text", ["hash: {}", "('a@example.com', '{}')", '"{}", and', "x={},y"])
def test_hashes_are_hidden_completely(algorithm: str, text: str) -> None:
    hashed = HASH.replace("argon2id", algorithm)
    if algorithm == "bcrypt":
        hashed = bcrypt.using(rounds=4).hash(PASSWORD)
    written = safe_text(text.format(hashed))
    # The last two parts are the salt and the digest.
    assert not [part for part in hashed.split("$")[-2:] if part in written], written
    assert "***" in written


# Escape, six kinds of line break, right-to-left override, a C1 control, bell and delete.
CONTROLS = [
    "\x1b",
    "\n",
    "\r",
    "\u2028",
    "\u2029",
    "\x85",
    "\u202e",
    "\x9b",
    "\x07",
    "\x7f",
    "\x0b",
]


@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_control_characters_in_paths_are_escaped(offline_server: Server, control: str) -> None:
    name = random_lower_string()
    email = f"{name}{control}INFO forged@example.com"
    path = f"/password-recovery/{''.join(f'%{byte:02X}' for byte in email.encode())}"
    offline_server.client.post(path)
    raw = f"/users/{name}{control}[31m"
    offline_server.client.get(
        "/users/" + "".join(f"%{byte:02X}" for byte in raw.removeprefix("/users/").encode()),
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    lines = [line for line in offline_server.output().split("\n") if name in line]
    errors = [line for line in lines if "can't be reached" in line or "ERROR" in line]
    assert errors, lines
    for line in lines:
        assert line.isprintable()
    # Starlette's request.url drops these two, so the log can't contain them.
    if control not in "\r\n":
        escaped = control.encode("unicode_escape").decode()
        assert any(escaped in line for line in errors)


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        (schemas.user.UserCreate, "password"),
        (schemas.user.UserRegister, "password"),
        (schemas.user.UserUpdate, "password"),
        (schemas.user.UserUpdateMe, "current_password"),
        (schemas.user.UserUpdateByID, "current_password"),
        (schemas.user.UserDeleteMe, "current_password"),
        (schemas.user.UserDeleteByID, "current_password"),
        (schemas.token.NewPassword, "new_password"),
        (schemas.token.NewPassword, "token"),
    ],
)
def test_validation_error_does_not_contain_the_value(schema: type[BaseModel], field: str) -> None:
    """An error that is raised outside the validation of a request is logged with its text."""
    with pytest.raises(ValidationError) as error:
        schema.model_validate({field: f"{OPAQUE}\0"})
    assert field in str(error.value)
    assert leaks(str(error.value), OPAQUE) == []


def test_database_errors_contain_no_row_values(db: Session) -> None:
    user = create_random_user(db)
    hashed = user.hashed_password
    db.execute(text('ALTER TABLE "user" ADD CONSTRAINT short CHECK (length(full_name) < 5)'))
    statements = {
        'UPDATE "user" SET email = NULL WHERE id = :id': "not-null",
        'UPDATE "user" SET full_name = :hash WHERE id = :id': "check",
        'UPDATE "user" SET email = :hash': "unique",
        'UPDATE "user" SET nonsense = :hash': "does not exist",
        'SELECT 1 FROM "user" WHERE email = :hash AND': "syntax",
        "INSERT INTO sample_note (title, owner_id) VALUES (:hash, 2147483647)": "foreign key",
    }
    for statement, reason in statements.items():
        with pytest.raises(DBAPIError, match=reason) as error, db.begin_nested():
            db.execute(text(statement), {"id": user.id, "hash": hashed})
        texts = [
            str(error.value),
            repr(error.value),
            str(error.value.orig),
            *map(str, error.value.args),
        ]
        for each in texts:
            assert hashed not in each
            assert "DETAIL" not in each
    with pytest.raises(EmailTaken):
        create_random_user(db, email=user.email)
