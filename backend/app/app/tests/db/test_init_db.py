"""The first superuser, and the log messages about superusers at start."""

import logging

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app import crud
from app.core.config import settings
from app.core.security import get_password_hash
from app.db.init_db import init_db
from app.models import User
from app.tests.utils.user import create_random_user
from app.tests.utils.utils import random_email


@pytest.fixture
def first_superuser(db: Session) -> User:
    user = crud.user.get_by_email(db, email=settings.FIRST_SUPERUSER)
    assert user is not None
    return user


def test_first_superuser_is_created_once(
    db: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings, "FIRST_SUPERUSER_PASSWORD", "changethis")
    db.execute(delete(User))
    for _ in range(2):
        init_db(db)
    (user,) = crud.user.get_multi(db)
    assert user.email == settings.FIRST_SUPERUSER
    assert crud.user.is_superuser(user)
    assert caplog.text.count("still has the default password") == 2


def test_renamed_first_superuser_is_not_created_again(db: Session, first_superuser: User) -> None:
    crud.user.update(db, db_obj=first_superuser, obj_in={"email": random_email()})
    init_db(db)
    assert crud.user.get_multi(db) == [first_superuser]


def test_changed_first_superuser_setting_creates_no_user(
    db: Session,
    first_superuser: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(settings, "FIRST_SUPERUSER", "other@example.com")
    init_db(db)
    assert crud.user.get_multi(db) == [first_superuser]
    assert "FIRST_SUPERUSER" in caplog.text
    assert "other@example.com" in caplog.text
    assert "create" in caplog.text


def test_first_superuser_is_created_if_all_others_are_inactive(db: Session) -> None:
    db.execute(update(User).values(is_active=False, email=random_email()))
    init_db(db)
    created = crud.user.get_by_email(db, email=settings.FIRST_SUPERUSER)
    assert created is not None
    assert crud.user.is_active(created)


@pytest.mark.parametrize("fields", [{"is_active": False}, {"is_superuser": False}])
def test_existing_user_gets_no_privileges(
    db: Session, first_superuser: User, caplog: pytest.LogCaptureFixture, fields: dict[str, bool]
) -> None:
    """A restart must not grant privileges to anybody."""
    db.execute(update(User).values(**fields))
    init_db(db)
    db.expire_all()
    assert crud.user.get_multi(db) == [first_superuser]
    assert {name: getattr(first_superuser, name) for name in fields} == fields
    assert f"{settings.FIRST_SUPERUSER} is not an active superuser" in caplog.text


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        ({"is_superuser": True}, True),
        ({"is_superuser": True, "is_active": False}, False),
        ({"is_superuser": False}, False),
    ],
)
def test_default_password_logs_warning(
    db: Session, caplog: pytest.LogCaptureFixture, fields: dict[str, bool], warned: bool
) -> None:
    user = create_random_user(db, **fields)
    user.hashed_password = get_password_hash("changethis")
    db.flush()
    with caplog.at_level(logging.WARNING):
        init_db(db)
    lines = [line for line in caplog.text.splitlines() if user.email in line]
    assert bool(lines) == warned
    for line in lines:
        assert "still has the default password" in line
