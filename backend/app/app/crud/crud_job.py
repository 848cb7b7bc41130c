from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    CursorResult,
    Integer,
    Interval,
    Row,
    Update,
    and_,
    bindparam,
    case,
    column,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, make_transient_to_detached

from app.core.config import settings
from app.crud.base import CRUDBase, as_list, reference
from app.crud.crud_session import is_active as is_active_session
from app.crud.exceptions import JobFinished
from app.models.job import OPEN_STATES, Job
from app.models.user import User
from app.models.user_session import UserSession
from app.schemas import job as schemas

# How long a running job belongs to its worker, which renews the lease each second.
LEASE = timedelta(seconds=30)
# A message that has just been sent to the queue may still be there.
NEW_MESSAGE, REPEATED_MESSAGE = timedelta(seconds=10), timedelta(seconds=60)
# If a due job waits for longer, the worker is down or overloaded.
SLOW = timedelta(seconds=60)
# The number of the database lock that a sweep holds.
SWEEP_LOCK = 1_785_430_001
# One sweep handles so many jobs of each state. The next one handles the rest.
SWEEP_LIMIT = 1000
TABLE = Job.metadata.tables["job"]

# These statements are built once, because building one costs as much CPU as running it. Parameters
# that have the name of a column set this column.
# The first one has a table instead of the model: each request that enqueues a job runs it, and the
# ORM would take three times as long.
ADD = insert(TABLE).values(check_at=func.now() + NEW_MESSAGE).returning(TABLE)
CLAIM = (
    update(Job)
    .where(Job.id == bindparam("job_id"), Job.state == "queued")
    .values(
        state="running",
        attempts=Job.attempts + 1,
        started_at=func.now(),
        check_at=func.now() + LEASE,
        progress=0,
        total=None,
        message="",
    )
    .returning(Job.attempts, Job.arguments, Job.created_at)
    .execution_options(synchronize_session=False)
)
CURRENT_RUN = (
    update(Job)
    .where(
        Job.id == bindparam("job_id"),
        Job.state == "running",
        Job.attempts == bindparam("attempt"),
    )
    .execution_options(synchronize_session=False)
)
RENEW = CURRENT_RUN.values(check_at=func.now() + LEASE)
FINISH = CURRENT_RUN.values(finished_at=func.now(), arguments=None)
RETRY = CURRENT_RUN.values(state="queued", check_at=func.now() + bindparam("delay", type_=Interval))

# A new job is due at once. A retry is due at check_at, until the sweep sends it again.
due_at = case((Job.attempts == 0, Job.created_at), else_=Job.check_at)
WAITING = and_(Job.state == "queued", due_at <= func.now())
FAILED = and_(Job.state == "failed", Job.finished_at > func.now() - timedelta(days=1))
IS_MAIL = Job.kind.like(r"send\_%\_email")
LATEST_FAILED = (
    select(Job.id, Job.kind, Job.message, reference(User).label("owner"), Job.finished_at)
    .outerjoin(Job.owner)
    .where(FAILED)
    .order_by(Job.id.desc())
    .limit(3)
)
SUMMARY = select(
    func.count().filter(WAITING).label("waiting"),
    func.count().filter(WAITING, due_at < func.now() - SLOW).label("late"),
    func.count().filter(FAILED).label("failed"),
    as_list(LATEST_FAILED).label("latest_failed"),
    func.max(Job.finished_at).filter(IS_MAIL, Job.state == "succeeded").label("mail_sent_at"),
    func.max(Job.finished_at).filter(IS_MAIL, Job.state == "failed").label("mail_failed_at"),
).select_from(Job)


watched = (
    func.unnest(
        bindparam("sessions", type_=ARRAY(Integer)), bindparam("jobs", type_=ARRAY(Integer))
    )
    .table_valued(column("session_id", Integer), column("job_id", Integer))
    .render_derived()
)
WATCHED = (
    select(watched.c.session_id, Job.id, Job.updated_at)
    .join(UserSession, and_(UserSession.id == watched.c.session_id, is_active_session))
    .join(User, and_(User.id == UserSession.owner_id, User.is_active))
    .join(Job, Job.id == watched.c.job_id)
    .where(or_(Job.owner_id == User.id, User.is_superuser))
)


class CRUDJob(CRUDBase[Job, schemas.Job, schemas.Job]):
    read_schema = schemas.Job
    search_columns = (Job.kind, Job.state, Job.message)

    def add(
        self, db: Session, *, kind: str, owner_id: int | None, arguments: dict[str, Any]
    ) -> Job:
        values = {"kind": kind, "owner_id": owner_id, "arguments": arguments}
        job = Job(**db.execute(ADD, values).mappings().one())
        make_transient_to_detached(job)
        db.add(job)
        return job

    def get_watched(
        self, db: Session, keys: Collection[tuple[int, int]]
    ) -> Sequence[Row[int, int, datetime]]:
        """Return those pairs of a session and a job for which a request would succeed.

        The job exists, the session has not ended, and its user is active, and owns the job or is a
        superuser. Each row has a session_id, and the job's id and updated_at.
        """
        sessions, jobs = [session for session, _ in keys], [job for _, job in keys]
        return db.execute(WATCHED, {"sessions": sessions, "jobs": jobs}).all()

    def get_by_ids(self, db: Session, job_ids: Collection[int]) -> Sequence[Job]:
        return db.scalars(select(Job).where(Job.id.in_(job_ids))).all() if job_ids else []

    def cancel(self, db: Session, job: Job) -> Job:
        """Cancel a job whose row is locked. Raises JobFinished.

        A running job stops when it reports its progress. Its changes are rolled back in any case.
        """
        if job.state not in OPEN_STATES:
            raise JobFinished
        fields = {"state": "cancelled", "finished_at": func.now(), "arguments": None}
        return self.update(db, db_obj=job, obj_in=fields)

    def claim(self, db: Session, job_id: int) -> Row[int, dict[str, Any], datetime] | None:
        """Start a queued job. Return its attempts, arguments and created_at.

        Returns None if the job is not queued: the message was a repeated one, or it was cancelled.
        """
        return db.execute(CLAIM, {"job_id": job_id}).one_or_none()

    def renew(self, db: Session, job_id: int, attempt: int, **progress: Any) -> bool:
        return self._update_run(db, RENEW, job_id, attempt, **progress)

    def succeed(
        self, db: Session, job_id: int, attempt: int, result: str | None, values: dict[str, Any]
    ) -> bool:
        values = {**values, "state": "succeeded", "result": result}
        return self._update_run(db, FINISH, job_id, attempt, **values)

    def fail(
        self,
        db: Session,
        job_id: int,
        attempt: int,
        message: str,
        values: Mapping[str, Any] = {},
    ) -> bool:
        values = {**values, "state": "failed", "message": message}
        return self._update_run(db, FINISH, job_id, attempt, **values)

    def retry(self, db: Session, job_id: int, attempt: int, message: str, delay: timedelta) -> bool:
        return self._update_run(db, RETRY, job_id, attempt, message=message, delay=delay)

    def _update_run(
        self, db: Session, statement: Update, job_id: int, attempt: int, **values: Any
    ) -> bool:
        """Write what became of a run. Return whether it is still the current run of the job.

        It is not if the job was cancelled, or given to another worker.
        """
        result = db.execute(statement, {"job_id": job_id, "attempt": attempt, **values})
        assert isinstance(result, CursorResult)
        return result.rowcount == 1

    def lock_sweep(self, db: Session) -> bool:
        """Return whether no other process sweeps until the end of this transaction."""
        return bool(db.scalar(select(func.pg_try_advisory_xact_lock(SWEEP_LOCK))))

    def last_created(self, db: Session, kind: str) -> datetime | None:
        statement = select(Job.created_at).where(Job.kind == kind)
        return db.scalar(statement.order_by(Job.created_at.desc()).limit(1))

    def overdue(
        self, db: Session, state: str, kinds: Iterable[str]
    ) -> Sequence[Row[int, str, int]]:
        """Return the id, kind and attempts of the jobs with check_at in the past, and lock them."""
        statement = (
            select(Job.id, Job.kind, Job.attempts)
            .where(Job.state == state, Job.check_at <= func.now(), Job.kind.in_(kinds))
            .order_by(Job.check_at, Job.id)
            .limit(SWEEP_LIMIT)
            .with_for_update(skip_locked=True)
        )
        return db.execute(statement).all()

    def mark_sent(self, db: Session, job_ids: Sequence[int]) -> None:
        statement = update(Job).where(Job.id.in_(job_ids))
        db.execute(statement.values(check_at=func.now() + REPEATED_MESSAGE))

    def get_report(self, db: Session, job_id: int) -> list[dict[str, Any]]:
        return db.scalar(select(Job.report).where(Job.id == job_id)) or []

    def file_keys(self, db: Session) -> set[str]:
        """Return the keys of the files that jobs have written or have to read."""
        written = db.scalars(select(Job).where(Job.file.is_not(None)))
        given = select(Job.arguments["file"].as_string()).where(Job.state.in_(OPEN_STATES))
        return {job.file_key for job in written} | {key for key in db.scalars(given) if key}

    def summary(self, db: Session) -> dict[str, Any]:
        return dict(db.execute(SUMMARY).mappings().one())

    def prune(self, db: Session) -> None:
        """Delete jobs that finished JOB_DAYS ago, except the newest of each kind.

        The next run of a schedule depends on the newest one.
        """
        newest = select(func.max(Job.id)).group_by(Job.kind)
        limit = func.now() - timedelta(days=settings.JOB_DAYS)
        db.execute(delete(Job).where(Job.finished_at < limit, Job.id.not_in(newest)))


job = CRUDJob(Job)
