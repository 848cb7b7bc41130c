"""Tests of the examples in docs/jobs.md.

scripts/native/test_jobs_page.py runs them in a copy of the backend that contains the examples.
"""

# A project may have removed Item.
# mypy: ignore-errors

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import crud
from app.core.config import settings
from app.db.session import SessionLocal
from app.models.job import Job
from app.tests.utils.item import create_random_item
from app.tests.utils.user import auth_headers, create_random_user
from app.tests.utils.worker import BACKEND

pytestmark = pytest.mark.usefixtures("worker")

API = settings.API_V1_STR


@contextmanager
def running_beat() -> Iterator[None]:
    process = subprocess.Popen(["sh", "beat-start.sh"], cwd=BACKEND, env=os.environ)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def wait_for(check: Callable[[], Any]) -> Any:
    """Return the result of `check` once it is truthy."""
    deadline = time.monotonic() + 20
    while not (result := check()):
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.1)
    return result


def test_job_reports_progress_and_succeeds(committed_client: TestClient) -> None:
    with SessionLocal.begin() as db:
        user = create_random_user(db)
        items = [
            create_random_item(db, owner_id=user.id, title=title)
            for title in ("first title", "second title", "third title")
        ]
    committed_client.headers = auth_headers(user)

    def job_in(state: str) -> Any:
        job = committed_client.get(location).json()
        assert job["state"] in ("queued", "running", state), job
        return job if job["state"] == state else None

    with SessionLocal.begin() as db:
        crud.item.get(db, items[1].id, for_update=True)  # The job waits for this lock.
        response = committed_client.post(f"{API}/items/capitalize")
        assert response.status_code == 202
        location = response.headers["Location"]
        assert location == f"{API}/jobs/{response.json()['id']}"
        assert response.json()["owner"] == {"id": user.id, "title": user.email}
        job = wait_for(lambda: (job := job_in("running")) and job["total"] and job)
        assert (job["progress"], job["total"], job["message"]) == (1, 3, "second title")
        assert titles(user.id) == ["first title", "second title", "third title"]
    job = wait_for(lambda: job_in("succeeded"))
    assert (job["result"], job["attempts"]) == ("3 items", 1)
    assert titles(user.id) == ["First title", "Second title", "Third title"]


def test_owner_reads_why_the_job_failed(committed_client: TestClient) -> None:
    with SessionLocal.begin() as db:
        user = create_random_user(db)
    committed_client.headers = auth_headers(user)
    location = committed_client.post(f"{API}/items/capitalize").headers["Location"]
    wait_for(lambda: committed_client.get(location).json()["finished_at"])
    job = committed_client.get(location).json()
    assert (job["state"], job["message"], job["attempts"]) == ("failed", "You have no items", 1)


@pytest.mark.usefixtures("committed_client")  # It deletes the user.
def test_nightly_job_runs() -> None:
    kind, now = "delete_unchanged_items", datetime.now(UTC)
    yesterday = now - timedelta(days=1)
    with SessionLocal.begin() as db:
        user = create_random_user(db)
        create_random_item(db, owner_id=user.id, title="new")
        old = create_random_item(db, owner_id=user.id, title="old")
        old.updated_at = now - timedelta(days=366)
        db.add(Job(kind=kind, state="succeeded", created_at=yesterday, check_at=yesterday))
    with running_beat():
        wait_for(lambda: [job.state for job in jobs(kind)] == ["succeeded", "succeeded"])
    assert jobs(kind)[1].result == "1 items"
    assert jobs(kind)[1].owner_id is None
    assert titles(user.id) == ["new"]


def titles(owner_id: int) -> list[str]:
    with SessionLocal() as db:
        return [item.title for item in crud.item.get_multi_by_owner(db, owner_id=owner_id)]


def jobs(kind: str) -> list[Job]:
    with SessionLocal() as db:
        return [job for job in crud.job.get_multi(db) if job.kind == kind]
