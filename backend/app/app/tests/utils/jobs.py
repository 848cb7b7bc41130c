import time
from typing import ParamSpec

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from app.core import files
from app.crud.crud_job import job as crud_job
from app.db.session import SessionLocal
from app.jobs import JobKind
from app.models import Job, User
from app.models.job import OPEN_STATES

P = ParamSpec("P")


def enqueue(kind: JobKind[P], owner: User | None = None, *args: P.args, **kwargs: P.kwargs) -> int:
    """Enqueue a job in a transaction of its own, and return its id."""
    with SessionLocal.begin() as db:
        return kind.enqueue(db, owner, *args, **kwargs).id


def create_job_with_file(db: Session, owner: User, content: bytes = b"title\n") -> Job:
    """Create a job that has written a file."""
    job = crud_job.add(db, kind="test", owner_id=owner.id, arguments={})
    job.state, job.attempts, job.file = "succeeded", 1, "item.csv"
    db.flush()
    with files.writer(job.file_key) as file:
        file.write(content)
    return job


def read_job(job_id: int) -> Job:
    with SessionLocal() as db:
        return db.get_one(Job, job_id)


def wait_for_job(job_id: int, *states: str, attempts: int = 0, seconds: float = 20) -> Job:
    """Wait until the job has one of these states and so many attempts."""
    deadline = time.monotonic() + seconds
    while (job := read_job(job_id)).state not in states or job.attempts < attempts:
        assert time.monotonic() < deadline, f"{job.kind} is {job.state}: {job.message}"
        time.sleep(0.05)
    return job


def let_time_pass(job_id: int) -> None:
    """Let the time pass after which the next sweep looks at the job."""
    with SessionLocal.begin() as db:
        statement = update(Job).where(Job.id == job_id, Job.state.in_(OPEN_STATES))
        db.execute(statement.values(check_at=func.now()))
