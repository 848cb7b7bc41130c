"""Jobs and their sweep, without a worker: the jobs run in the process of the tests."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery.exceptions import Retry
from celery.schedules import crontab
from kombu.exceptions import OperationalError as RedisDown
from sqlalchemy import create_engine, delete, func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import beat, crud
from app.core.celery_app import JobError, celery_app
from app.core.redis import pause
from app.db.session import ReadSession, SessionLocal, engine
from app.jobs import JobKind, Run, job
from app.models import Job, User
from app.tests.utils.jobs import enqueue, let_time_pass, read_job
from app.tests.utils.user import create_random_user
from app.tests.utils.utils import random_email


@job(attempts=3)
def create_users(run: Run) -> None:
    """A job for these tests. `during` replaces what it does after its change."""
    create_random_user(run.db, email=random_email())
    during(run)


@job(schedule=crontab(hour="3", minute="0"))
def nightly(run: Run) -> None: ...


@job()
def greet(run: Run, word: str) -> str:
    return f"Hello {word}"


def during(run: Run) -> None: ...


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The ids of the jobs that were sent to the queue. No worker receives them."""
    ids: list[int] = []
    monkeypatch.setattr(JobKind, "send", lambda _, job_id: ids.append(job_id))
    # Remove the jobs and messages of other tests.
    delete_all()
    celery_app.control.purge()
    monkeypatch.setattr(pause, "_until", 0.0)  # And restore it after the test.
    yield ids
    delete_all()


def delete_all() -> None:
    with SessionLocal.begin() as db:
        db.execute(delete(Job))


def do_during(monkeypatch: pytest.MonkeyPatch, action: Any) -> None:
    monkeypatch.setattr("app.tests.test_jobs.during", action)


def run_once(kind: JobKind[Any], job_id: int) -> Job:
    """Run the job like a worker that received its message."""
    kind.task.run(job_id)
    return read_job(job_id)


def sweep() -> None:
    scheduler = beat.Scheduler(celery_app, lazy=True)
    scheduler._leases_valid_from = 0
    scheduler.sweep()


def count_users() -> int:
    with SessionLocal() as db:
        return db.scalar(select(func.count()).select_from(User)) or 0


@pytest.fixture
def new_users() -> Iterator[Any]:
    """Returns how many users exist in addition to those before the test."""
    before = count_users()
    with SessionLocal() as db:
        last_id = db.scalar(select(func.max(User.id))) or 0
    yield lambda: count_users() - before
    with SessionLocal.begin() as db:
        db.execute(delete(User).where(User.id > last_id))


# The promise.


def test_jobs_are_sent_after_the_commit(db: Session, sent: list[int]) -> None:
    ids = [greet.enqueue(db, None, "world").id]
    with db.begin_nested():
        ids.append(greet.enqueue(db, None, "world").id)
    assert sent == []
    db.commit()
    assert sent == ids
    db.commit()
    assert sent == ids


def test_rollback_drops_the_job(sent: list[int]) -> None:
    with SessionLocal() as db:
        greet.enqueue(db, None, "dropped")
        db.rollback()
    with SessionLocal() as db:
        savepoint = db.begin_nested()
        greet.enqueue(db, None, "dropped")
        savepoint.rollback()
        kept = greet.enqueue(db, None, "kept")
        db.commit()
        assert db.scalars(select(Job.id)).all() == [kept.id]
    assert kept.id in sent


def test_job_without_a_row_does_nothing() -> None:
    """The message of a savepoint that was rolled back is sent all the same."""
    greet.task.run(2**31 - 1)


def test_read_session_rejects_jobs(db: Session) -> None:
    with ReadSession() as read_session, pytest.raises(RuntimeError, match="SessionDep"):
        greet.enqueue(read_session, None, "lost")


def test_wrong_arguments_are_rejected(db: Session) -> None:
    """The type comments prove that mypy rejects these calls, because it reports unused ones."""
    with pytest.raises(TypeError, match="word"):
        greet.enqueue(db, None)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="too many"):
        greet.enqueue(db, None, "one", "two")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="msg"):
        greet.enqueue(db, None, "one", msg="two")  # type: ignore[call-arg]


def test_names_are_unique() -> None:
    def greet(run: Run) -> None: ...

    with pytest.raises(ValueError, match="two kinds of jobs with the name greet"):
        job()(greet)


def test_requests_do_not_wait_for_unreachable_redis_again(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def send(_: object, job_id: int) -> None:
        tried.append(job_id)
        raise RedisDown

    monkeypatch.setattr(JobKind, "send", send)
    first = greet.enqueue(db, None, "one")
    greet.enqueue(db, None, "two")
    db.commit()
    assert tried == [first.id]
    greet.enqueue(db, None, "three")
    db.commit()
    assert tried == [first.id]  # Nor does the next request, for some seconds.


# A run.


def test_success() -> None:
    job_id = enqueue(greet, None, "world")
    assert read_job(job_id).arguments == {"word": "world"}
    done = run_once(greet, job_id)
    assert (done.state, done.attempts, done.result) == ("succeeded", 1, "Hello world")
    assert done.arguments is None
    assert done.started_at
    assert done.finished_at


def test_a_message_that_is_delivered_twice_runs_the_job_once(new_users: Any) -> None:
    job_id = enqueue(create_users)
    run_once(create_users, job_id)
    assert run_once(create_users, job_id).attempts == 1
    assert new_users() == 1


def test_error_rolls_back_and_is_repeated(
    monkeypatch: pytest.MonkeyPatch, new_users: Any, sent: list[int]
) -> None:
    job_id = enqueue(create_users)

    def fail(run: Run) -> None:
        raise ValueError("internal details")

    with monkeypatch.context() as patch:
        do_during(patch, fail)
        for attempt, delay in ((1, 2), (2, 4)):
            with pytest.raises(Retry):
                run_once(create_users, job_id)
            waiting = read_job(job_id)
            assert (waiting.state, waiting.attempts) == ("queued", attempt)
            assert waiting.message == "ValueError"
            assert (waiting.check_at - waiting.updated_at).total_seconds() == delay
    assert new_users() == 0
    done = run_once(create_users, job_id)
    assert (done.state, done.attempts, done.message) == ("succeeded", 3, "")
    assert new_users() == 1


def test_last_error_fails_the_job(monkeypatch: pytest.MonkeyPatch, new_users: Any) -> None:
    job_id = enqueue(create_users)

    def fail(run: Run) -> None:
        raise ValueError("internal details")

    do_during(monkeypatch, fail)
    for expected in (Retry, Retry, ValueError):
        with pytest.raises(expected):
            run_once(create_users, job_id)
    failed = read_job(job_id)
    assert (failed.state, failed.attempts, failed.message) == ("failed", 3, "ValueError")
    assert failed.arguments is None
    assert failed.finished_at
    assert new_users() == 0


def test_job_error_is_shown_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, new_users: Any
) -> None:
    job_id = enqueue(create_users)

    def fail(run: Run) -> None:
        raise JobError("Row 3 has no\x00 title" + "x" * 2000)

    do_during(monkeypatch, fail)
    with pytest.raises(JobError):
        run_once(create_users, job_id)
    failed = read_job(job_id)
    assert (failed.state, failed.attempts) == ("failed", 1)
    assert failed.message.startswith(r"Row 3 has no\x00 title")
    assert new_users() == 0


def test_temporary_job_error_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = enqueue(create_users)

    def fail(run: Run) -> None:
        raise JobError("The shop is closed", permanent=False)

    do_during(monkeypatch, fail)
    with pytest.raises(Retry):
        run_once(create_users, job_id)
    assert (read_job(job_id).state, read_job(job_id).message) == ("queued", "The shop is closed")


def test_result_that_is_too_long_fails_the_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = enqueue(greet, None, "x" * 300)
    with pytest.raises(Retry):
        run_once(greet, job_id)
    assert read_job(job_id).message == "DataError"


def cancel(run: Run) -> None:
    with SessionLocal.begin() as db:
        row = crud.job.get(db, run.job_id, for_update=True)
        assert row
        crud.job.cancel(db, row)


def test_cancelled_job_changes_nothing(monkeypatch: pytest.MonkeyPatch, new_users: Any) -> None:
    """Even if it does not report its progress."""
    job_id = enqueue(create_users)
    do_during(monkeypatch, cancel)
    assert run_once(create_users, job_id).state == "cancelled"
    assert new_users() == 0


def test_cancelled_job_that_fails_stays_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = enqueue(create_users)

    def fail(run: Run) -> None:
        cancel(run)
        raise ValueError

    do_during(monkeypatch, fail)
    assert run_once(create_users, job_id).state == "cancelled"


def test_progress_ends_a_cancelled_job(monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = enqueue(create_users)

    def wait(run: Run) -> None:
        cancel(run)
        for _ in range(50):
            run.progress(1)
            run._ended.wait(0.1)
        pytest.fail("the job was not stopped")

    do_during(monkeypatch, wait)
    assert run_once(create_users, job_id).state == "cancelled"


def test_run_that_lost_its_lease_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, new_users: Any
) -> None:
    """Another worker has the job now."""
    job_id = enqueue(create_users)

    def lose(run: Run) -> None:
        monkeypatch.setattr("app.tests.test_jobs.during", lambda _: None)
        let_time_pass(job_id)
        sweep()
        run_once(create_users, job_id)

    do_during(monkeypatch, lose)
    done = run_once(create_users, job_id)
    assert (done.state, done.attempts) == ("succeeded", 2)
    assert new_users() == 1


def test_run_that_lost_its_lease_does_not_end_the_next_run(
    monkeypatch: pytest.MonkeyPatch, new_users: Any
) -> None:
    job_id = enqueue(create_users)

    def lose(run: Run) -> None:
        let_time_pass(job_id)
        sweep()
        with SessionLocal.begin() as db:
            assert crud.job.claim(db, job_id)

    do_during(monkeypatch, lose)
    current = run_once(create_users, job_id)
    assert (current.state, current.attempts) == ("running", 2)
    assert new_users() == 0


def test_progress_and_lease_are_written_while_the_job_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job_id = enqueue(create_users)
    seen = []

    def wait(run: Run) -> None:
        before = read_job(job_id)
        run.progress(3, 10, "sending\n\x00\udcff")
        for _ in range(50):
            run._ended.wait(0.1)
            if read_job(job_id).progress:
                break
        seen.extend([before, read_job(job_id)])
        run.progress(10, 10)

    do_during(monkeypatch, wait)
    run_once(create_users, job_id)
    before, after = seen
    assert (after.state, after.progress, after.total) == ("running", 3, 10)
    assert (read_job(job_id).state, read_job(job_id).progress) == ("succeeded", 10)
    assert after.message == r"sending\n\x00\udcff"
    assert after.check_at > before.check_at


def test_progress_that_cannot_be_stored_keeps_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = enqueue(create_users)
    leases = []

    def wait(run: Run) -> None:
        run.progress(2**70)
        for _ in range(2):
            run._ended.wait(1.2)
            leases.append(read_job(job_id).check_at)

    do_during(monkeypatch, wait)
    assert run_once(create_users, job_id).state == "succeeded"
    assert leases[0] < leases[1]


def test_outcome_waits_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job must not be repeated: it may have sent a mail."""
    job_id = enqueue(greet, None, "world")
    nowhere = create_engine("postgresql+psycopg2://user@127.0.0.1:1/app")
    pauses = []

    def be_up_again(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            SessionLocal.configure(bind=engine)

    def greet_in_outage(run: Run, word: str) -> str:
        SessionLocal.configure(bind=nowhere)
        return word

    monkeypatch.setattr(greet, "function", greet_in_outage)
    monkeypatch.setattr("time.sleep", be_up_again)
    try:
        done = run_once(greet, job_id)
    finally:
        SessionLocal.configure(bind=engine)
    assert (done.state, done.attempts) == ("succeeded", 1)
    assert len(pauses) == 3


def test_lost_connection_rolls_back_and_is_repeated(
    monkeypatch: pytest.MonkeyPatch, new_users: Any
) -> None:
    job_id = enqueue(create_users)

    def disconnect(run: Run) -> None:
        pid = run.db.scalar(select(func.pg_backend_pid()))
        with SessionLocal() as db:
            db.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    with monkeypatch.context() as patch:
        do_during(patch, disconnect)
        with pytest.raises(Retry) as caught:
            run_once(create_users, job_id)
        assert isinstance(caught.value.exc, OperationalError)
    assert run_once(create_users, job_id).state == "succeeded"
    assert new_users() == 1


# The sweep.


def test_sweep_sends_what_was_not_sent(sent: list[int]) -> None:
    job_id = enqueue(greet, None, "world")
    sent.clear()
    sweep()
    assert sent == []  # The message may still be in the queue.
    let_time_pass(job_id)
    sweep()
    sweep()
    assert sent == [job_id]


def test_sweep_sends_nothing_while_the_queue_has_the_messages(
    sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [enqueue(greet, None, "world") for _ in range(3)]
    failed = enqueue(create_users)
    with SessionLocal.begin() as db:
        db.execute(update(Job).values(check_at=func.now()))
        db.execute(update(Job).where(Job.id == failed).values(attempts=1))
    sent.clear()
    lengths = iter([3, 1])

    class Queue:
        def llen(self, _: str) -> int:
            return next(lengths)

    monkeypatch.setattr(beat, "quick_client", lambda retries: Queue())
    sweep()
    assert sent == [failed]  # It was tried before, so it has no message.
    sweep()
    assert sent[1:] == ids[:2]


def test_sweep_repeats_the_job_of_a_dead_worker(sent: list[int]) -> None:
    job_id = enqueue(create_users)
    sent.clear()
    for attempt in (1, 2, 3):
        with SessionLocal.begin() as db:
            assert crud.job.claim(db, job_id)
        sweep()
        assert read_job(job_id).state == "running"
        let_time_pass(job_id)
        sweep()
        assert sent == [job_id] * min(attempt, 2)
    failed = read_job(job_id)
    assert (failed.state, failed.message) == ("failed", "The process of the worker died")


@pytest.mark.parametrize("outage", [False, True])
def test_leases_are_not_checked_after_an_outage(
    monkeypatch: pytest.MonkeyPatch, outage: bool
) -> None:
    """While the database was down, the workers could not renew them."""
    now = [1000.0]
    monkeypatch.setattr("app.beat.time.monotonic", lambda: now[0])
    scheduler = beat.Scheduler(celery_app, lazy=True)
    for _ in range(10):
        now[0] += 5
        scheduler.sweep()
    job_id = enqueue(create_users)
    with SessionLocal.begin() as db:
        crud.job.claim(db, job_id)
    let_time_pass(job_id)
    now[0] += 60 if outage else 5
    scheduler.sweep()
    assert read_job(job_id).state == ("running" if outage else "queued")
    for _ in range(6):
        now[0] += 5
        scheduler.sweep()
    assert read_job(job_id).state == "queued"


def test_two_sweeps_at_once_do_not_disturb_each_other(sent: list[int]) -> None:
    job_id = enqueue(greet, None, "world")
    let_time_pass(job_id)
    sent.clear()
    with SessionLocal.begin() as db:
        assert crud.job.lock_sweep(db)
        sweep()
    assert sent == []
    sweep()
    assert sent == [job_id]


def test_unknown_kinds_are_left_alone(sent: list[int]) -> None:
    """During an update, the old sweep does not know the new kinds of jobs."""
    with SessionLocal.begin() as db:
        row = crud.job.add(db, kind="from_the_future", owner_id=None, arguments={})
    let_time_pass(row.id)
    sent.clear()
    sweep()
    assert sent == []
    assert read_job(row.id).state == "queued"


def test_schedule_adds_a_job_when_it_is_due(sent: list[int]) -> None:
    sweep()
    with SessionLocal() as db:
        # The first time is the next one after the start.
        assert db.scalars(select(Job)).all() == []
    job_id = enqueue(nightly)
    with SessionLocal.begin() as db:
        yesterday = datetime.now(UTC) - timedelta(days=1, minutes=1)
        db.execute(update(Job).values(created_at=yesterday))
    run_once(nightly, job_id)
    sweep()
    sweep()
    with SessionLocal() as db:
        rows = db.scalars(select(Job).order_by(Job.id)).all()
    # It is added once, although it was due more than once.
    assert [row.id for row in rows] == [job_id, sent[-1]]
    assert rows[1].owner_id is None


def test_prune_keeps_the_newest_job_of_each_kind() -> None:
    old = datetime.now(UTC) - timedelta(days=31)
    ids = [enqueue(greet, None, "world") for _ in range(3)]
    for job_id in ids[:2]:
        run_once(greet, job_id)
    with SessionLocal.begin() as db:
        open_job = greet.enqueue(db, None, "open").id
        other = nightly.enqueue(db, None).id
    run_once(nightly, other)
    with SessionLocal.begin() as db:
        db.execute(update(Job).where(Job.finished_at.is_not(None)).values(finished_at=old))
        db.execute(update(Job).where(Job.id == ids[1]).values(finished_at=func.now()))
        crud.job.prune(db)
        assert set(db.scalars(select(Job.id))) == {*ids[1:], open_job, other}


def test_sweep_sends_after_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker may receive the message at once. It must find a queued job."""
    job_id = enqueue(create_users)
    with SessionLocal.begin() as db:
        crud.job.claim(db, job_id)
    let_time_pass(job_id)
    monkeypatch.setattr(JobKind, "send", lambda kind, job_id: states.append(read_job(job_id).state))
    states: list[str] = []
    sweep()
    assert states == ["queued"]
