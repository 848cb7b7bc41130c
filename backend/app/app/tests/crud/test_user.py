from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, Literal
from unicodedata import normalize

import pytest
from passlib.hash import argon2, bcrypt
from pydantic import ValidationError
from sqlalchemy import update
from sqlalchemy.orm import Session

from app import crud
from app.core import security
from app.core.security import get_password_hash, verify_and_update, verify_password
from app.crud.exceptions import EmailTaken, LastSuperuser
from app.db.session import SessionLocal
from app.models import User
from app.schemas import UserCreate, UserUpdate
from app.tests.utils.user import create_random_user
from app.tests.utils.utils import random_email, random_lower_string

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]


def test_create_user(db: Session) -> None:
    email = random_email()
    user = crud.user.create(db, obj_in=UserCreate(email=email, password=random_lower_string()))
    assert user.email == email
    assert user.hashed_password.startswith("$argon2id$")
    assert crud.user.is_active(user)
    assert not crud.user.is_superuser(user)


def test_create_user_writes_every_field(db: Session) -> None:
    user = create_random_user(db, full_name="A Name", is_active=False, is_superuser=True)
    assert user.full_name == "A Name"
    assert not crud.user.is_active(user)
    assert crud.user.is_superuser(user)


def test_email_is_stored_in_lower_case(db: Session) -> None:
    user = create_random_user(db, email="Some.One@Example.COM")
    assert user.email == "some.one@example.com"
    assert crud.user.get_by_email(db, email="SOME.one@example.com") is user


def test_create_user_rejects_existing_email(db: Session) -> None:
    user = create_random_user(db)
    with pytest.raises(EmailTaken):
        create_random_user(db, email=user.email.upper())


def test_authenticate(db: Session) -> None:
    password = random_lower_string()
    user = create_random_user(db, password=password)
    assert crud.user.authenticate(db, email=user.email, password=password) is user
    assert crud.user.authenticate(db, email=user.email, password=password + "x") is None
    assert crud.user.authenticate(db, email=random_email(), password=password) is None


@pytest.mark.parametrize("password", ["correct horse", "x" * 100])
def test_bcrypt_hash_is_accepted_and_upgraded(db: Session, password: str) -> None:
    """Users of an imported project keep their passwords. Bcrypt uses only the first 72 bytes."""
    user = create_random_user(db)
    user.hashed_password = bcrypt.using(rounds=4).hash(password.encode()[:72])
    db.flush()
    assert crud.user.authenticate(db, email=user.email, password=password) is user
    db.refresh(user)
    assert user.hashed_password.startswith("$argon2id$")
    assert crud.user.authenticate(db, email=user.email, password=password) is user


# Passwords that operating systems send in different Unicode forms.
COMPOSED = ["pässword", "пароль й", "ｆｕｌｌ ｗｉｄｔｈ", "Å strong ﬁsh"]


@pytest.mark.parametrize("typed", COMPOSED)
@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_password_matches_in_every_unicode_form(db: Session, typed: str, form: Form) -> None:
    user = create_random_user(db, password=normalize("NFC", typed))
    other = normalize(form, typed)
    assert crud.user.authenticate(db, email=user.email, password=other) is user
    assert crud.user.authenticate(db, email=user.email, password=other + "x") is None


def test_password_length_is_checked_after_normalisation() -> None:
    """The first password has eight code points, but only four after normalisation."""
    with pytest.raises(ValidationError):
        UserCreate(email=random_email(), password="a\u0301" * 4)
    assert UserCreate(email=random_email(), password="a\u0301" * 8).password == "\u00e1" * 8


@pytest.mark.parametrize("scheme", [argon2, bcrypt.using(rounds=4)])
def test_hash_of_unnormalised_password_is_upgraded(db: Session, scheme: Any) -> None:
    """Imported projects may have hashed passwords without normalising them."""
    typed = normalize("NFD", "pässword")
    user = create_random_user(db)
    user.hashed_password = scheme.hash(typed)
    db.flush()
    assert crud.user.authenticate(db, email=user.email, password=typed) is user
    for form in (normalize("NFC", typed), typed):
        assert verify_password(form, user.hashed_password)


@pytest.mark.parametrize("password", ["password", normalize("NFD", "pässword")])
def test_unknown_email_verifies_as_often_as_wrong_password(
    db: Session, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    verifications: list[str] = []

    def verify(secret: str, hashed: str) -> tuple[bool, None]:
        verifications.append(hashed)
        return False, None

    monkeypatch.setattr(security.password_context, "verify_and_update", verify)
    monkeypatch.setattr(
        security.password_context, "dummy_verify", lambda: verifications.append("dummy")
    )
    user = create_random_user(db)
    crud.user.authenticate(db, email=user.email, password=password)
    known = len(verifications)
    assert known > 0
    crud.user.authenticate(db, email=random_email(), password=password)
    assert len(verifications) == 2 * known


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("u@straße.de", "u@xn--strae-oqa.de"),
        ("u@bücher.example.com", "U@BU\u0308CHER.example.com"),
        ("u@日本語.jp", "u@日本語。JP"),
        ("u@ｅｘａｍｐｌｅ.com", "u@example.com"),
    ],
)
def test_spellings_of_an_email_are_one_account(db: Session, first: str, second: str) -> None:
    user = create_random_user(db, email=first)
    assert crud.user.get_by_email(db, email=second) is user
    with pytest.raises(EmailTaken):
        create_random_user(db, email=second)


@pytest.mark.parametrize("domain", ["نامه\u200cای.com", "ශ්\u200dරී.com", "I♥NY.de", "🍕.ws"])
def test_ambiguous_domain_is_rejected(domain: str) -> None:
    with pytest.raises(ValidationError):
        UserCreate(email=f"u@{domain}", password=random_lower_string())


def test_login_does_not_undo_password_change(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    user = create_random_user(db)
    user.hashed_password = bcrypt.using(rounds=4).hash("old password")
    db.flush()
    new_hash = get_password_hash("new password")

    def change_meanwhile(password: str, hashed: str) -> tuple[bool, str | None]:
        change = update(User).values(hashed_password=new_hash).where(User.id == user.id)
        # Simulate a change by another session, which this session has not seen.
        db.execute(change, execution_options={"synchronize_session": False})
        return verify_and_update(password, hashed)

    monkeypatch.setattr("app.crud.crud_user.verify_and_update", change_meanwhile)
    assert crud.user.authenticate(db, email=user.email, password="old password") is None
    db.expire_all()
    assert user.hashed_password == new_hash


@pytest.mark.parametrize(
    "email", ["é@example.com", "not an email", "a\0b@example.com", "\ud800@x.com"]
)
def test_malformed_email_finds_no_user(db: Session, email: str) -> None:
    assert crud.user.get_by_email(db, email=email) is None


def test_update_with_dict_lowercases_email(db: Session) -> None:
    user = create_random_user(db)
    crud.user.update(db, db_obj=user, obj_in={"email": "UPPER@Example.com"})
    assert crud.user.get_by_email(db, email="UPPER@example.com") is user


@pytest.mark.parametrize("hashed", ["", "no hash", "$2b$12$short", "$argon2id$broken"])
def test_malformed_hash_never_matches(hashed: str) -> None:
    assert not verify_password("password", hashed)


def test_update_writes_only_set_fields(db: Session) -> None:
    user = create_random_user(db, full_name="Before", is_superuser=True)
    hashed_password = user.hashed_password
    db.expire_all()
    crud.user.update(db, db_obj=user, obj_in=UserUpdate(full_name="After"))
    db.expire_all()
    assert user.full_name == "After"
    assert user.is_superuser
    assert user.hashed_password == hashed_password


def test_update_user_of_another_session(db: Session) -> None:
    """The current user of a request, for example, was read in another session."""
    user = create_random_user(db)
    db.expunge(user)
    crud.user.update(db, db_obj=user, obj_in={"full_name": "After"})
    db.expire_all()
    stored = crud.user.get(db, user.id)
    assert stored is not None
    assert stored.full_name == "After"


def test_update_password(db: Session) -> None:
    user = create_random_user(db)
    crud.user.update(db, db_obj=user, obj_in={"password": "new password"})
    assert verify_password("new password", user.hashed_password)


def test_remove_user(db: Session) -> None:
    user = create_random_user(db)
    assert crud.user.remove(db, id=user.id) is user
    assert crud.user.get(db, user.id) is None
    assert crud.user.remove(db, id=user.id) is None


def test_last_superuser_is_protected(db: Session) -> None:
    for user in crud.user.get_multi(db):
        if crud.user.is_superuser(user):
            last = user
    with pytest.raises(LastSuperuser):
        crud.user.update(db, db_obj=last, obj_in={"is_superuser": False})
    with pytest.raises(LastSuperuser):
        crud.user.update(db, db_obj=last, obj_in=UserUpdate(is_active=False))
    with pytest.raises(LastSuperuser):
        crud.user.remove(db, id=last.id)

    with pytest.raises(LastSuperuser):
        crud.user.update(db, db_obj=last, obj_in={"is_verified": False})

    # Superusers who can't log in do not count.
    other = create_random_user(db, is_superuser=True, is_active=False)
    create_random_user(db, is_superuser=True, is_verified=False)
    with pytest.raises(LastSuperuser):
        crud.user.remove(db, id=last.id)
    crud.user.update(db, db_obj=other, obj_in={"is_active": True})
    crud.user.remove(db, id=last.id)


def test_concurrent_removals_leave_one_superuser(database: None) -> None:
    """The second removal waits for the first transaction, and then finds no other superuser."""
    with SessionLocal.begin() as db:
        others = [create_random_user(db, is_superuser=True) for _ in range(2)]
        (first,) = [user for user in crud.user.get_active_superusers(db) if user not in others]
        crud.user.update(db, db_obj=first, obj_in={"is_active": False})
    second_is_done = Event()

    def remove(user: User) -> type[Exception] | None:
        try:
            with SessionLocal.begin() as db:
                crud.user.remove(db, id=user.id)
        except LastSuperuser as error:
            return type(error)
        finally:
            second_is_done.set()
        return None

    with ThreadPoolExecutor(1) as pool:
        with SessionLocal.begin() as db:
            crud.user.remove(db, id=others[0].id)
            removal = pool.submit(remove, others[1])
            assert not second_is_done.wait(0.5)
        assert removal.result() is LastSuperuser
    with SessionLocal.begin() as db:
        crud.user.update(db, db_obj=first, obj_in={"is_active": True})
        crud.user.remove(db, id=others[1].id)
