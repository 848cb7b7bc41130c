"""Streams of server-sent events. Most tests use a real server, because a TestClient waits for the
end of a response. These tests commit.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, make_url, update
from sqlalchemy.orm import Session

from app import crud
from app.core.config import settings
from app.db.session import SessionLocal
from app.main import app
from app.models import Job, User, UserSession
from app.tests.utils.forwarder import Forwarder
from app.tests.utils.server import Server, running_server
from app.tests.utils.user import (
    access_token,
    auth_headers,
    bearer,
    create_random_user,
    start_session,
)

JOBS = f"{settings.API_V1_STR}/jobs/"
APP = "app.tests.utils.streaming_app:app"


@dataclass(frozen=True)
class Event:
    """An event, as it was received."""

    event: str
    data: str
    id: str

    @property
    def job(self) -> dict[str, Any]:
        return dict(json.loads(self.data))


def parse(lines: Iterator[str]) -> Iterator[Event]:
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield Event(**fields)
            fields = {}


@contextmanager
def opened(server: Server, job: int, headers: dict[str, str]) -> Iterator[Iterator[Event]]:
    """Open a stream. An event that does not arrive within 5 seconds is an error."""
    with server.client.stream("GET", f"/jobs/{job}/events", headers=headers) as response:
        assert response.status_code == 200, response.read()
        yield parse(response.iter_lines())


@pytest.fixture(scope="module")
def database_forwarder(database: None) -> Iterator[Forwarder]:
    url = make_url(settings.SQLALCHEMY_DATABASE_URI)
    forwarder = Forwarder(url.host or "localhost", url.port or 5432)
    yield forwarder
    forwarder.close()


@pytest.fixture(scope="module")
def server(database_forwarder: Forwarder) -> Iterator[Server]:
    url = make_url(settings.SQLALCHEMY_DATABASE_URI)
    url = url.set(host="127.0.0.1", port=database_forwarder.port)
    uri = url.render_as_string(hide_password=False)
    with running_server(APP, SQLALCHEMY_DATABASE_URI=uri) as server:
        yield server


@pytest.fixture
def owner() -> Iterator[User]:
    with SessionLocal.begin() as db:
        user = create_random_user(db)
    yield user
    with SessionLocal.begin() as db:
        db.execute(delete(Job))
        db.execute(delete(User).where(User.email != settings.FIRST_SUPERUSER))


@pytest.fixture
def job(owner: User) -> int:
    """The id of a job that its worker has just started."""
    with SessionLocal.begin() as db:
        job = crud.job.add(db, kind="export", owner_id=owner.id, arguments={})
        crud.job.claim(db, job.id)
        return job.id


@pytest.fixture
def session(owner: User) -> UserSession:
    return start_session(owner)


@pytest.fixture
def headers(session: UserSession) -> dict[str, str]:
    return bearer(access_token(session))


def report(job: int, done: int) -> None:
    """Report progress like the worker."""
    with SessionLocal.begin() as db:
        assert crud.job.renew(db, job, 1, progress=done, total=10)


def succeed(job: int) -> None:
    with SessionLocal.begin() as db:
        assert crud.job.succeed(db, job, 1, "10 rows", {"progress": 10})


def test_events_are_the_job_until_it_has_succeeded(
    server: Server, job: int, headers: dict[str, str]
) -> None:
    with opened(server, job, headers) as events:
        first = next(events)
        assert first.event == "job"
        assert first.job == server.client.get(f"/jobs/{job}", headers=headers).json()
        report(job, 3)
        assert next(events).job["progress"] == 3
        succeed(job)
        (last,) = events
    assert (last.job["state"], last.job["result"]) == ("succeeded", "10 rows")
    assert last.job == server.client.get(f"/jobs/{job}", headers=headers).json()


def test_renewed_lease_is_no_event(server: Server, job: int, headers: dict[str, str]) -> None:
    """The worker of a job without progress changes only updated_at."""
    with opened(server, job, headers) as events:
        next(events)
        with SessionLocal.begin() as db:
            assert crud.job.renew(db, job, 1)
        time.sleep(0.5)
        report(job, 3)
        assert next(events).job["progress"] == 3


def test_comments_keep_the_connection_open(
    server: Server, job: int, headers: dict[str, str]
) -> None:
    with server.client.stream("GET", f"/jobs/{job}/events", headers=headers) as response:
        lines = filter(None, response.iter_lines())
        assert [next(lines).partition(":")[0] for _ in range(3)] == ["event", "data", "id"]
        assert [next(lines), next(lines)] == [": ping"] * 2


def test_each_stream_gets_the_current_state(
    server: Server, job: int, headers: dict[str, str]
) -> None:
    with opened(server, job, headers) as early:
        next(early)
        report(job, 3)
        with opened(server, job, headers) as late:
            assert [next(each).job["progress"] for each in (early, late)] == [3, 3]
            report(job, 4)
            assert [next(each).job["progress"] for each in (early, late)] == [4, 4]


def test_known_state_is_not_sent_again(server: Server, job: int, headers: dict[str, str]) -> None:
    with opened(server, job, headers) as events:
        known = next(events)
    with opened(server, job, headers | {"Last-Event-ID": known.id}) as events:
        report(job, 3)
        assert next(events).job["progress"] == 3
    succeed(job)
    with opened(server, job, headers | {"Last-Event-ID": known.id}) as events:
        (last,) = events
    with opened(server, job, headers | {"Last-Event-ID": last.id}) as events:
        assert list(events) == []


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_finished_job_is_one_event(client: TestClient, db: Session, user: User, state: str) -> None:
    job = crud.job.add(db, kind="export", owner_id=user.id, arguments={})
    crud.job.update(db, db_obj=job, obj_in={"state": state, "message": "a\nb\r\u2028é"})
    headers = auth_headers(user)
    response = client.get(f"{JOBS}{job.id}/events", headers=headers)
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert "no-store" in response.headers["Cache-Control"]
    (event,) = parse(iter(response.text.split("\n")))
    assert event.job == client.get(f"{JOBS}{job.id}", headers=headers).json()


def test_errors_are_ordinary_responses(client: TestClient, db: Session, user: User) -> None:
    job = crud.job.add(db, kind="export", owner_id=user.id, arguments={})
    other = auth_headers(create_random_user(db))
    for headers, job_id, status, code in (
        ({}, job.id, 401, "not_authenticated"),
        (other, job.id, 403, "permission_denied"),
        (other, 2**31 - 1, 404, "not_found"),
        (other, 0, 422, "validation_error"),
    ):
        response = client.get(f"{JOBS}{job_id}/events", headers=headers)
        assert (response.status_code, response.json()["code"]) == (status, code)


def test_events_are_documented_as_a_stream_and_errors_as_json() -> None:
    responses = dict(app.openapi()["paths"][f"{JOBS}{{id}}/events"]["get"]["responses"])
    content = responses.pop("200")["content"]
    assert content["text/event-stream"]["schema"] == {"$ref": "#/components/schemas/Job"}
    assert {"401", "403", "404", "503"} <= responses.keys()
    assert all(list(each["content"]) == ["application/json"] for each in responses.values())


def end_session(db: Session, user: User, job: int) -> None:
    crud.session.end(db, owner_id=user.id)


def deactivate(db: Session, user: User, job: int) -> None:
    db.execute(update(User).where(User.id == user.id).values(is_active=False))


def delete_user(db: Session, user: User, job: int) -> None:
    crud.user.remove(db, id=user.id)


def demote(db: Session, user: User, job: int) -> None:
    crud.user.update(db, db_obj=db.get_one(User, user.id), obj_in={"is_superuser": False})


def delete_job(db: Session, user: User, job: int) -> None:
    db.execute(delete(Job).where(Job.id == job))


@pytest.mark.parametrize("change", [end_session, deactivate, delete_user, demote, delete_job])
def test_stream_ends_with_the_permission(
    server: Server, job: int, change: Callable[[Session, User, int], None]
) -> None:
    with SessionLocal.begin() as db:
        superuser = create_random_user(db, is_superuser=True)
    with opened(server, job, auth_headers(superuser)) as events:
        next(events)
        report(job, 3)
        assert next(events).job["progress"] == 3
        with SessionLocal.begin() as db:
            change(db, superuser, job)
        assert list(events) == []


def test_logout_ends_the_streams_of_its_session(
    server: Server, owner: User, job: int, headers: dict[str, str]
) -> None:
    with opened(server, job, headers) as events, opened(server, job, auth_headers(owner)) as others:
        next(events)
        next(others)
        assert server.client.post("/login/logout", headers=headers).is_success
        assert list(events) == []
        report(job, 3)
        assert next(others).job["progress"] == 3


def test_stream_ends_when_the_token_expires(server: Server, job: int, session: UserSession) -> None:
    started = time.time()
    headers = bearer(access_token(session, timedelta(seconds=2)))
    with opened(server, job, headers) as events:
        assert len(list(events)) == 1
    # The claim `exp` has whole seconds.
    assert time.time() - started >= 1


def streams(server: Server) -> dict[str, int]:
    return dict(httpx2.get(f"{server.root}/streams").json())


def test_nothing_is_left_of_disconnected_clients(
    server: Server, job: int, headers: dict[str, str]
) -> None:
    with opened(server, job, headers) as events:
        next(events)
        assert streams(server).items() >= {"streams": 1, "pollers": 1}.items()
    time.sleep(0.5)
    before = streams(server)
    assert before.items() >= {"streams": 0, "pollers": 0}.items()
    time.sleep(0.5)
    assert streams(server) == before


def test_head_does_not_block_its_connection(
    server: Server, job: int, headers: dict[str, str]
) -> None:
    """A proxy sends the next request, perhaps of another client, on the same connection."""
    with httpx2.Client(base_url=server.client.base_url, headers=headers, timeout=2) as client:
        response = client.head(f"/jobs/{job}/events")
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert client.get(f"/jobs/{job}").json()["id"] == job
    assert streams(server)["streams"] == 0


def test_number_of_queries_does_not_depend_on_the_number_of_streams(
    server: Server, job: int, headers: dict[str, str]
) -> None:
    with ExitStack() as stack:
        all_events = [stack.enter_context(opened(server, job, headers)) for _ in range(50)]
        for events in all_events:
            next(events)
        time.sleep(0.3)
        before = streams(server)
        assert before["streams"] == 50
        time.sleep(1)
        idle = streams(server)["queries"] - before["queries"]
        assert 2 <= idle <= 6  # Five polls.
        report(job, 3)
        for events in all_events:
            assert next(events).job["progress"] == 3
        assert streams(server)["queries"] - before["queries"] - idle <= 8


def test_streams_outlive_a_database_outage(
    server: Server, job: int, headers: dict[str, str], database_forwarder: Forwarder
) -> None:
    with opened(server, job, headers) as events:
        next(events)
        with database_forwarder.down():
            time.sleep(1)
            report(job, 3)
        assert next(events).job["progress"] == 3
    assert server.output().count("job events wait for the database") == 1
    assert "Traceback" not in server.output()


@pytest.mark.parametrize(
    ("program", "number"),
    [("uvicorn", signal.SIGTERM), ("uvicorn", signal.SIGINT), ("gunicorn", signal.SIGTERM)],
)
def test_open_streams_do_not_delay_shutdown(
    job: int,
    headers: dict[str, str],
    program: str,
    number: signal.Signals,
) -> None:
    with (
        running_server(program=program) as server,
        opened(server, job, headers) as events,
    ):
        next(events)
        server.process.send_signal(number)
        assert list(events) == []
        # With an open stream, uvicorn would wait forever, and gunicorn for 30 seconds.
        server.process.wait(20)
        assert "Traceback" not in server.output()
