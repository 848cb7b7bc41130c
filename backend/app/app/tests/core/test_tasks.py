"""Tasks that are enqueued after a commit, here in a queue that no worker reads."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from redis import Redis
from sqlalchemy.orm import Session

from app.core.celery_app import celery_app
from app.core.config import settings
from app.db.session import ReadSession

QUEUE = "read-by-no-worker"


@celery_app.task(name="tests.unread", queue=QUEUE)
def unread(word: str) -> None: ...


@pytest.fixture
def queue() -> Iterator[Redis]:
    with Redis.from_url(settings.CELERY_BROKER_URL) as redis:
        redis.delete(QUEUE)
        yield redis
        redis.delete(QUEUE)


def test_savepoint_rollback_drops_only_its_tasks(db: Session, queue: Redis) -> None:
    unread.delay_after_commit(db, "before")
    with db.begin_nested() as savepoint:
        unread.delay_after_commit(db, "dropped")
        with db.begin_nested():
            unread.delay_after_commit(db, "dropped, too")
        savepoint.rollback()
    with db.begin_nested():
        unread.delay_after_commit(db, "after")
    assert queue.llen(QUEUE) == 0
    db.commit()
    assert queue.llen(QUEUE) == 2


def test_read_session_rejects_tasks(db: Session) -> None:
    with ReadSession() as read_session:
        unread.delay_after_commit(read_session, "lost")
        with pytest.raises(RuntimeError, match="SessionDep"):
            read_session.commit()


@pytest.mark.parametrize("zone", [None, UTC])
def test_eta_may_be_naive(queue: Redis, zone: tzinfo | None) -> None:
    now = datetime.now(UTC).replace(tzinfo=zone)
    unread.apply_async(("soon",), eta=now + timedelta(seconds=1), ignore_result=True)
    assert queue.llen(QUEUE) == 1
    with pytest.raises(ValueError, match="LONGEST_DELAY"):
        unread.apply_async(("late",), eta=now + timedelta(hours=1), ignore_result=True)


def test_wrong_arguments_fail_before_commit(db: Session) -> None:
    """After the commit, the error could only be logged.

    The type comments prove that mypy rejects these calls, because mypy reports unused comments.
    """
    with pytest.raises(TypeError, match="word"):
        unread.delay_after_commit(db)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="too many"):
        unread.delay_after_commit(db, "one", "two")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="msg"):
        unread.delay_after_commit(db, "one", msg="two")  # type: ignore[call-arg]
