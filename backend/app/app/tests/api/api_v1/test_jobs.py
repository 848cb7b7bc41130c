from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import crud
from app.core.config import settings
from app.models import Job, User
from app.tests.utils.user import auth_headers, create_random_user
from app.tests.utils.utils import random_email

JOBS = f"{settings.API_V1_STR}/jobs/"


def add_job(db: Session, owner: User | None, **fields: object) -> Job:
    job = crud.job.add(
        db, kind="export", owner_id=owner.id if owner else None, arguments={"email": "secret"}
    )
    return crud.job.update(db, db_obj=job, obj_in=fields)


def test_users_see_their_jobs_and_superusers_see_all(
    client: TestClient, db: Session, superuser: User
) -> None:
    user = create_random_user(db)
    own, others = add_job(db, user, total=10, progress=3), add_job(db, None)
    (row,) = client.get(JOBS, headers=auth_headers(user)).json()
    assert row == {
        "id": own.id,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "owner_id": user.id,
        "owner": {"id": user.id, "title": user.email},
        "kind": "export",
        "state": "queued",
        "progress": 3,
        "total": 10,
        "message": "",
        "attempts": 0,
        "result": None,
        "source": None,
        "file": None,
        "problem_count": 0,
        "started_at": None,
        "finished_at": None,
    }
    assert client.get(f"{JOBS}{own.id}", headers=auth_headers(user)).json() == row
    rows = client.get(f"{JOBS}?sort=-id&limit=2", headers=auth_headers(superuser)).json()
    assert [row["id"] for row in rows] == [others.id, own.id]
    assert rows[0]["owner"] is None


@pytest.mark.parametrize(
    ("states", "found"),
    [([], [0, 1, 2]), (["failed"], [1]), (["failed", "queued"], [0, 1]), (["running"], [])],
)
def test_filter_by_state(
    user_client: TestClient, db: Session, user: User, states: list[str], found: list[int]
) -> None:
    jobs = [add_job(db, user, state=state) for state in ("queued", "failed", "cancelled")]
    response = user_client.get(JOBS, params={"state": states, "limit": 1})
    assert response.headers["X-Total-Count"] == str(len(found))
    ids = [row["id"] for row in response.json()]
    while "next" in response.links:
        response = user_client.get(urljoin(JOBS, response.links["next"]["url"]))
        ids += [row["id"] for row in response.json()]
    assert ids == [jobs[i].id for i in found]
    assert user_client.get(JOBS, params={"state": "unknown"}).status_code == 422


@pytest.mark.parametrize("state", ["queued", "running"])
def test_cancel(client: TestClient, db: Session, state: str) -> None:
    user = create_random_user(db)
    job = add_job(db, user, state=state)
    response = client.post(f"{JOBS}{job.id}/cancel", headers=auth_headers(user))
    assert response.status_code == 200
    assert response.json()["state"] == "cancelled"
    assert response.json()["finished_at"]
    db.refresh(job)
    assert job.arguments is None


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_finished_jobs_are_not_cancelled(client: TestClient, db: Session, state: str) -> None:
    user = create_random_user(db)
    job = add_job(db, user, state=state)
    response = client.post(f"{JOBS}{job.id}/cancel", headers=auth_headers(user))
    assert response.status_code == 409
    assert response.json() == {"detail": "The job has already finished", "code": "job_finished"}
    db.refresh(job)
    assert job.state == state


@pytest.mark.parametrize("path", ["{id}", "{id}/cancel"])
def test_unknown_job_is_404(superuser_client: TestClient, path: str) -> None:
    url = JOBS + path.format(id=2**31 - 1)
    response = superuser_client.request("POST" if "cancel" in path else "GET", url)
    assert response.status_code == 404
    assert response.json()["detail"] == "Job not found"


def test_job_outlives_its_owner(db: Session) -> None:
    """A superuser who created an account may be deleted before its mail is sent."""
    user = create_random_user(db)
    job = add_job(db, user)
    crud.user.remove(db, id=user.id)
    db.refresh(job)
    assert job.owner_id is None


def test_mails_are_jobs_of_those_who_asked_for_them(
    superuser_client: TestClient, db: Session, superuser: User
) -> None:
    email = random_email()
    superuser_client.post(f"{settings.API_V1_STR}/password-recovery/{email}")
    superuser_client.post(f"{settings.API_V1_STR}/utils/test-email/?email_to={email}")
    recovery, test = superuser_client.get(f"{JOBS}?sort=-id&limit=2").json()[::-1]
    assert (recovery["kind"], recovery["owner_id"]) == ("send_reset_password_email", None)
    assert (test["kind"], test["owner_id"]) == ("send_test_email", superuser.id)
    # Only the worker needs the email.
    assert email not in str([recovery, test])
