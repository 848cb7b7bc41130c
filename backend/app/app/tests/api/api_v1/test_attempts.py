"""Limits on failed passwords and on mails."""

from collections.abc import Iterator
from random import randrange
from typing import Any

import pytest
from fastapi.testclient import TestClient
from limits import parse_many
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis
from sqlalchemy.orm import Session

from app.core import throttling
from app.core.config import settings
from app.core.redis import pause
from app.core.throttling import network
from app.main import app
from app.tests.utils.user import auth_headers, create_random_user
from app.tests.utils.utils import random_email

API = settings.API_V1_STR
ME = f"{API}/users/me"
PASSWORD = "the right password"
TOO_MANY = {"detail": "Too many attempts, try again later", "code": "too_many_attempts"}

LIMITS = {
    throttling.failed_passwords: "2 per minute",
    throttling.failed_passwords_of_network: "6 per minute",
    throttling.mails: "1 per minute",
    throttling.mails_of_network: "4 per minute",
}


@pytest.fixture(autouse=True)
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for throttle, limits in LIMITS.items():
        monkeypatch.setattr(throttle, "limits", parse_many(limits))
    monkeypatch.setattr(pause, "_until", 0.0)
    monkeypatch.setattr(settings, "USERS_OPEN_REGISTRATION", True)


def client_at(address: str) -> TestClient:
    return TestClient(app, client=(address, 50000))


def random_address() -> str:
    """Return an IPv6 address in a network that no other test uses."""
    return f"2001:db8:{randrange(2**16):x}:{randrange(2**16):x}::1"


@pytest.fixture
def client(db: Session) -> Iterator[TestClient]:
    with client_at(random_address()) as test_client:
        yield test_client


def log_in(client: TestClient, email: str, password: str) -> Any:
    form = {"username": email, "password": password}
    return client.post(f"{API}/login/access-token", data=form)


def fail(client: TestClient, email: str, times: int = 2) -> None:
    for _ in range(times):
        assert log_in(client, email, "a wrong one").json()["code"] == "incorrect_credentials"


@pytest.mark.parametrize("known", [True, False])
def test_failed_passwords_are_limited(client: TestClient, db: Session, known: bool) -> None:
    email = create_random_user(db, password=PASSWORD).email if known else random_email()
    fail(client, email)
    for password in ("a wrong one", PASSWORD):
        response = log_in(client, email.upper(), password)
        assert (response.status_code, response.json()) == (429, TOO_MANY)
        assert 1 <= int(response.headers["Retry-After"]) <= 60


def test_spellings_of_an_email_count_together(client: TestClient, db: Session) -> None:
    user = create_random_user(db, password=PASSWORD)
    spellings = f"A name <{user.email}>", user.email.replace(".", "\N{FULLWIDTH FULL STOP}")
    for spelling in spellings:
        assert log_in(client, spelling, PASSWORD).status_code == 200
    for spelling in spellings:
        fail(client, spelling, times=1)
    assert log_in(client, user.email, PASSWORD).status_code == 429


def test_nobody_is_locked_out_by_others(client: TestClient, db: Session) -> None:
    user = create_random_user(db, password=PASSWORD)
    fail(client, user.email)
    assert log_in(client_at(random_address()), user.email, PASSWORD).status_code == 200
    assert log_in(client, user.email, PASSWORD).status_code == 429


def test_success_forgets_the_failures_of_the_account(client: TestClient, db: Session) -> None:
    user = create_random_user(db, password=PASSWORD)
    for _ in range(3):
        fail(client, user.email, times=1)
        assert log_in(client, user.email, PASSWORD).status_code == 200


def test_each_of_several_limits_counts(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = parse_many("5 per minute; 2 per hour")
    monkeypatch.setattr(throttling.failed_passwords, "limits", limits)
    email = random_email()
    fail(client, email)
    response = log_in(client, email, PASSWORD)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 60


def test_failures_of_a_network_are_limited(client: TestClient, db: Session) -> None:
    user = create_random_user(db, password=PASSWORD)
    for _ in range(3):
        fail(client, random_email())
    assert log_in(client, user.email, PASSWORD).status_code == 429


def test_own_account_does_not_reset_the_limit_of_a_network(client: TestClient, db: Session) -> None:
    user = create_random_user(db, password=PASSWORD)
    for _ in range(3):
        fail(client, random_email())
        response = log_in(client, user.email, PASSWORD)
    assert response.status_code == 429


def test_addresses_of_one_network_count_together(db: Session) -> None:
    address = random_address()
    user = create_random_user(db, password=PASSWORD)
    fail(client_at(address), user.email)
    assert log_in(client_at(f"{address}:5:6"), user.email, PASSWORD).status_code == 429


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("a socket", "a socket"),
    ],
)
def test_network_of_address(address: str, expected: str) -> None:
    assert network(address) == expected


@pytest.mark.parametrize("by_id", [False, True])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_confirmations_of_the_password_count_as_logins(
    client: TestClient, db: Session, method: str, by_id: bool
) -> None:
    """A stolen token must not be enough to guess the password."""
    user = create_random_user(db, password=PASSWORD, is_superuser=by_id)
    headers, url = auth_headers(user), f"{API}/users/{user.id}" if by_id else ME

    def confirm(password: str) -> Any:
        body = {"current_password": password, "email": random_email()}
        return client.request(method, url, headers=headers, json=body)

    for _ in range(2):
        assert confirm("a wrong one").json()["code"] == "incorrect_password"
    assert confirm(PASSWORD).status_code == 429
    assert log_in(client, user.email, PASSWORD).status_code == 429


MAILS = ("recovery", "sign-up", "verification")


def cause_mail(client: TestClient, email: str, kind: str) -> Any:
    match kind:
        case "recovery":
            return client.post(f"{API}/password-recovery/{email}")
        case "sign-up":
            body = {"email": email, "password": PASSWORD}
            return client.post(f"{API}/users/open", json=body)
    return client.post(f"{API}/email-verification/", json={"email": email})


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("kind", MAILS)
def test_mails_are_limited(client: TestClient, db: Session, kind: str, known: bool) -> None:
    email = create_random_user(db).email if known else random_email()
    assert cause_mail(client, email, kind).status_code == 202
    response = cause_mail(client_at(random_address()), email.upper(), kind)
    assert (response.status_code, response.json()) == (429, TOO_MANY)
    assert 1 <= int(response.headers["Retry-After"]) <= 60


def test_rejected_sign_up_does_not_count(client: TestClient) -> None:
    body = {"email": random_email(), "password": "password"}
    assert client.post(f"{API}/users/open", json=body).status_code == 422
    assert cause_mail(client, body["email"], "sign-up").status_code == 202


def test_requests_that_send_no_mail_do_not_prevent_recovery(
    client: TestClient, db: Session
) -> None:
    user = create_random_user(db)
    assert cause_mail(client, user.email, "verification").status_code == 202
    assert cause_mail(client, user.email, "recovery").status_code == 202
    # Requests that the limit of their network rejects do not count for the email.
    other = create_random_user(db)
    statuses = [cause_mail(client, random_email(), "recovery").status_code for _ in range(3)]
    assert statuses[-1] == 429
    assert cause_mail(client, other.email, "recovery").status_code == 429
    assert cause_mail(client_at(random_address()), other.email, "recovery").status_code == 202


def test_mails_from_one_network_are_limited(client: TestClient) -> None:
    statuses = [cause_mail(client, random_email(), "recovery").status_code for _ in range(5)]
    assert statuses == [202, 202, 202, 202, 429]


def test_changes_of_the_email_are_limited(client: TestClient, db: Session) -> None:
    """By account: a user must not be able to block others from changing to an email."""
    user, other = (create_random_user(db, password=PASSWORD) for _ in range(2))
    email = random_email()
    for each, new_email, status in (
        (user, email, 200),
        (user, random_email(), 429),
        (other, email, 200),
    ):
        body = {"email": new_email, "current_password": PASSWORD}
        response = client.put(ME, headers=auth_headers(each), json=body)
        assert response.status_code == status


def test_rejected_change_of_the_email_does_not_count(client: TestClient, db: Session) -> None:
    user = create_random_user(db, password=PASSWORD)
    headers, body = auth_headers(user), {"email": random_email(), "current_password": PASSWORD}
    for weak in (user.email, body["email"]):
        response = client.put(ME, headers=headers, json=body | {"password": weak})
        assert response.status_code == 422
    assert client.put(ME, headers=headers, json=body).status_code == 200


def test_flushed_counters_start_again(client: TestClient, db: Session) -> None:
    user = create_random_user(db, password=PASSWORD)
    fail(client, user.email)
    with Redis.from_url(settings.CELERY_BROKER_URL) as redis:
        redis.script_flush()
        for key in redis.scan_iter("LIMITS*"):
            redis.delete(key)
    fail(client, user.email)
    assert log_in(client, user.email, PASSWORD).status_code == 429


def test_without_redis_nothing_is_limited(
    client: TestClient,
    db: Session,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    storage = RedisStorage("redis://127.0.0.1:1")
    monkeypatch.setattr(throttling, "limiter", lambda: MovingWindowRateLimiter(storage))
    user = create_random_user(db, password=PASSWORD)
    fail(client, user.email, times=3)
    assert log_in(client, user.email, PASSWORD).status_code == 200
    warnings = [record.message for record in caplog.records if "not limited" in record.message]
    assert len(warnings) == 1
