import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import Connection, func
from sqlalchemy.orm import Session

from app import crud
from app.api.routing import resources
from app.core.config import settings
from app.core.redis import TICK, pause, quick_client
from app.crud.base import CRUDOwned
from app.models import Job, User
from app.tests.utils.forwarder import Forwarder, forwarded_redis
from app.tests.utils.queries import collect_queries
from app.tests.utils.sample_note import SampleComment, create_random_note, crud_sample_note
from app.tests.utils.server import running_server
from app.tests.utils.user import auth_headers, create_random_user

DASHBOARD = f"{settings.API_V1_STR}/dashboard/"
OLD = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pause, "_until", 0.0)


@pytest.fixture
def beat() -> Iterator[None]:
    quick_client(retries=1).set(TICK, "now")
    yield
    quick_client(retries=1).delete(TICK)


def read(client: TestClient) -> dict[str, Any]:
    response = client.get(DASHBOARD)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def notes_of(dashboard: dict[str, Any]) -> dict[str, Any]:
    (found,) = [each for each in dashboard["resources"] if each["path"] == "sample-notes"]
    assert found.pop("path") == "sample-notes"
    assert found.pop("name") == "sample_note"
    return dict(found)


def add_job(db: Session, owner: User | None = None, **fields: Any) -> Job:
    kind = fields.pop("kind", "export")
    job = crud.job.add(db, kind=kind, owner_id=owner.id if owner else None, arguments={})
    return crud.job.update(db, db_obj=job, obj_in=fields)


def parts(client: TestClient) -> dict[str, str]:
    found: dict[str, str] = read(client)["administration"]["parts"]
    return found


def test_new_user_has_nothing(user_client: TestClient, db: Session) -> None:
    create_random_note(db)
    dashboard = read(user_client)
    assert [each["path"] for each in dashboard["resources"]] == list(resources)
    assert notes_of(dashboard) == {"total": 0, "new": 0}
    assert dashboard["latest"] == []
    steps = {"has_row": False, "has_name": False, "is_verified": True}
    assert dashboard["first_steps"] == steps
    assert dashboard["administration"] is None


def test_users_see_their_rows(user_client: TestClient, db: Session, user: User) -> None:
    crud.user.update(db, db_obj=user, obj_in={"full_name": "Ann Other"})
    notes = [create_random_note(db, owner_id=user.id) for _ in range(7)]
    create_random_note(db)
    for note in notes[:3]:
        crud_sample_note.update(db, db_obj=note, obj_in={"created_at": OLD})
    dashboard = read(user_client)
    assert notes_of(dashboard) == {"total": 7, "new": 4}
    assert [row["id"] for row in dashboard["latest"]] == [
        *(note.id for note in notes[:2:-1]),
        notes[2].id,
    ]
    assert dashboard["latest"][0] == {
        "resource": "sample_note",
        "id": notes[-1].id,
        "title": notes[-1].title,
        "owner": {"id": user.id, "title": "Ann Other"},
        "created_at": dashboard["latest"][0]["created_at"],
    }
    assert dashboard["latest"][-1]["created_at"] == "2026-01-01T00:00:00Z"
    steps = {"has_row": True, "has_name": True, "is_verified": True}
    assert dashboard["first_steps"] == steps


def test_superusers_see_all_rows(superuser_client: TestClient, db: Session) -> None:
    before = notes_of(read(superuser_client))
    note = create_random_note(db)
    dashboard = read(superuser_client)
    assert notes_of(dashboard) == {name: number + 1 for name, number in before.items()}
    assert dashboard["latest"][0]["owner"]["id"] == note.owner_id
    # The note belongs to another user.
    assert dashboard["first_steps"]["has_row"] is False


@pytest.mark.parametrize(("readers", "total"), [("users", 1), ("superusers", None)])
def test_readers_of_a_resource_decide(
    user_client: TestClient,
    db: Session,
    monkeypatch: pytest.MonkeyPatch,
    readers: str,
    total: int | None,
) -> None:
    monkeypatch.setattr(type(crud_sample_note), "readers", readers)
    create_random_note(db)
    dashboard = read(user_client)
    found = [each["total"] for each in dashboard["resources"] if each["name"] == "sample_note"]
    assert found == ([] if total is None else [total])
    assert dashboard["first_steps"]["has_row"] is False


def test_rows_of_a_resource_without_a_title(
    user_client: TestClient, db: Session, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = create_random_note(db, owner_id=user.id)
    comment = SampleComment(note_id=note.id, owner_id=user.id)
    db.add(comment)
    db.flush()
    rows = CRUDOwned[SampleComment, BaseModel, BaseModel](SampleComment)
    monkeypatch.setitem(resources, "sample-comments", rows)
    (found,) = [each for each in read(user_client)["latest"] if each["resource"] != "sample_note"]
    assert (found["id"], found["title"]) == (comment.id, None)


def test_users_are_counted(superuser_client: TestClient, db: Session) -> None:
    before = read(superuser_client)["administration"]["users"]
    users = [
        create_random_user(db, full_name="Ann Other"),
        create_random_user(db, is_active=False),
        create_random_user(db, is_verified=False),
    ]
    crud.user.update(db, db_obj=users[1], obj_in={"created_at": OLD})
    after = read(superuser_client)["administration"]["users"]
    latest = [(each["id"], each["title"]) for each in after.pop("latest")]
    assert latest == [(each.id, each.display_name) for each in reversed(users)]
    added = {"total": 3, "new": 2, "inactive": 1, "unverified": 1}
    assert after == {name: before[name] + number for name, number in added.items()}


def test_failed_jobs_are_shown(superuser_client: TestClient, db: Session, user: User) -> None:
    before = read(superuser_client)["administration"]["jobs"]["failed"]
    failed: dict[str, Any] = {
        "state": "failed",
        "finished_at": func.now(),
        "message": "No disk space",
    }
    jobs = [add_job(db, user, **failed), add_job(db, **failed)]
    add_job(db, **failed | {"finished_at": func.now() - timedelta(days=2)})
    add_job(db, state="succeeded", finished_at=func.now())
    found = read(superuser_client)["administration"]["jobs"]
    assert found["failed"] == before + 2
    assert [each["id"] for each in found["latest_failed"][:2]] == [jobs[1].id, jobs[0].id]
    assert found["latest_failed"][0]["owner"] is None
    assert (
        found["latest_failed"][1].items()
        >= {
            "kind": "export",
            "message": "No disk space",
            "owner": {"id": user.id, "title": user.email},
        }.items()
    )
    assert found["latest_failed"][1]["finished_at"]


def test_last_mails_are_shown(superuser_client: TestClient, db: Session) -> None:
    add_job(
        db, kind="send_test_email", state="succeeded", finished_at=datetime(2099, 1, 1, tzinfo=UTC)
    )
    add_job(
        db, kind="send_test_email", state="failed", finished_at=datetime(2099, 1, 2, tzinfo=UTC)
    )
    add_job(db, kind="export", state="failed", finished_at=datetime(2099, 1, 3, tzinfo=UTC))
    jobs = read(superuser_client)["administration"]["jobs"]
    assert jobs["mail_sent_at"] == "2099-01-01T00:00:00Z"
    assert jobs["mail_failed_at"] == "2099-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"created_at": timedelta(seconds=-50)}, "up"),
        ({"created_at": timedelta(seconds=-70)}, "down"),
        # The sweep has sent it again, and checks later.
        ({"created_at": timedelta(seconds=-70), "check_at": timedelta(seconds=50)}, "down"),
        ({"created_at": timedelta(hours=-1), "attempts": 5, "check_at": timedelta(hours=1)}, "up"),
        (
            {"created_at": timedelta(hours=-1), "attempts": 5, "check_at": timedelta(minutes=-2)},
            "down",
        ),
        ({"created_at": timedelta(hours=-1), "state": "running", "attempts": 1}, "up"),
    ],
)
def test_worker_is_down_if_due_jobs_wait(
    superuser_client: TestClient, db: Session, fields: dict[str, Any], state: str
) -> None:
    assert parts(superuser_client)["celeryworker"] == "up"
    values: dict[str, Any] = {
        name: func.now() + value if isinstance(value, timedelta) else value
        for name, value in fields.items()
    }
    waiting = read(superuser_client)["administration"]["jobs"]["waiting"]
    add_job(db, **values)
    administration = read(superuser_client)["administration"]
    assert administration["parts"]["celeryworker"] == state
    is_due = fields.get("state") != "running" and fields.get("check_at") != timedelta(hours=1)
    assert administration["jobs"]["waiting"] == waiting + is_due


@pytest.mark.usefixtures("beat")
def test_parts_are_up(superuser_client: TestClient) -> None:
    states = {"database": "up", "redis": "up", "celeryworker": "up", "celerybeat": "up"}
    assert parts(superuser_client) == {**states, "mail": "configured"}


def test_parts_that_are_down_are_shown(
    superuser_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_client(retries=1).delete(TICK)
    monkeypatch.setattr(settings, "EMAILS_ENABLED", False)
    found = parts(superuser_client)
    assert (found["redis"], found["celerybeat"], found["mail"]) == ("up", "down", "off")


def test_unreachable_redis_delays_the_dashboard_once_by_half_a_second(forwarder: Forwarder) -> None:
    form = {"username": settings.FIRST_SUPERUSER, "password": settings.FIRST_SUPERUSER_PASSWORD}
    with running_server(**forwarded_redis(forwarder)) as server:
        login = server.client.post("/login/access-token", data=form).json()
        headers = {"Authorization": f"Bearer {login['access_token']}"}
        assert server.client.get("/dashboard/", headers=headers).status_code == 200
        seconds = []
        with forwarder.holding_responses():
            for _ in range(2):
                started = time.monotonic()
                response = server.client.get("/dashboard/", headers=headers)
                seconds.append(time.monotonic() - started)
                found = response.json()["administration"]["parts"]
                assert (found["redis"], found["celerybeat"]) == ("down", "unknown")
        assert seconds[0] < 1
        assert seconds[1] < 0.4


def test_number_of_queries_is_fixed(
    user_client: TestClient, superuser: User, user: User, connection: Connection, db: Session
) -> None:
    """One for the caller, one for each resource, and for superusers two."""
    create_random_note(db, owner_id=user.id)
    create_random_note(db)
    superuser_client = TestClient(user_client.app, headers=auth_headers(superuser))
    for client, queries in ((user_client, 1), (superuser_client, 3)):
        with collect_queries(connection) as statements:
            read(client)
        assert len(statements) == queries + len(resources), statements
