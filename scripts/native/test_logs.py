"""Checks that no log contains a secret. Run this last, because the other tests fill the logs."""

import re
import secrets
import smtplib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx2
import psycopg2.errors
import pytest

import db
import env_file
import settings
from environment import PUBLISHED, SECRET_NAMES
from logs_check import find_secrets, secret_values
from services import SERVICES
from test_stack import ENV, PORTS, WEB, eventually, mail_to, new_email, succeeded

# These services log nothing about requests.
SILENT = {"proxy", "redis", "celerybeat"}
TEST_STACK = settings.STATE / "test"
API = f"{WEB}/api/v1"


def logs() -> list[Path]:
    folders = (settings.LOGS, TEST_STACK / "log")
    return [path for folder in folders if folder.exists() for path in folder.iterdir()]


def plant_in_db(canary: str) -> None:
    connection = db._connect(ENV, ENV["POSTGRES_USER"], ENV["POSTGRES_DB"])
    with closing(connection), pytest.raises(psycopg2.errors.UndefinedTable):
        connection.cursor().execute(f'SELECT * FROM "{canary}"')


def plant_in_worker(canary: str) -> None:
    token = log_in(ENV["FIRST_SUPERUSER"], ENV["FIRST_SUPERUSER_PASSWORD"]).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx2.post(f"{API}/utils/test-celery/", json={"msg": canary}, headers=headers).status_code == 201


def plant_in_mail_catcher(canary: str) -> None:
    with smtplib.SMTP("127.0.0.1", PORTS["smtp"]) as client:
        client.sendmail("a@example.com", ["b@example.com"], f"Subject: {canary}\n\nA text")


def log_in(email: str, password: str) -> httpx2.Response:
    return httpx2.post(f"{API}/login/access-token", data={"username": email, "password": password})


def plant_in_pgadmin(canary: str) -> None:
    httpx2.get(f"http://127.0.0.1:{PORTS['pgadmin']}/", headers={"Host": f"127.0.0.1.{canary}"})


def plant_in_flower(canary: str) -> None:
    user, _, password = ENV["FLOWER_BASIC_AUTH"].partition(":")
    worker = f"http://127.0.0.1:{PORTS['flower']}/worker/{canary}"
    assert httpx2.get(worker, auth=(user, password), timeout=30).status_code == 404


PLANT: dict[str, Callable[[str], object]] = {
    "backend": lambda canary: httpx2.get(f"{API}/{canary}"),
    "celeryworker": plant_in_worker,
    "db": plant_in_db,
    "flower": plant_in_flower,
    "frontend": lambda canary: httpx2.get(f"http://127.0.0.1:{PORTS['frontend']}/%E0?{canary}"),
    "mailcatcher": plant_in_mail_catcher,
    "pgadmin": plant_in_pgadmin,
}


@pytest.mark.parametrize("service", SERVICES)
def test_canary_is_found_in_the_log_of_its_service(service: str) -> None:
    log = settings.LOGS / f"{service}.log"
    if service in SILENT:
        assert log.exists()
        return
    canary = f"canary-{secrets.token_hex(8)}"
    PLANT[service](canary)
    assert eventually(lambda: find_secrets(log.read_text(errors="replace"), [canary]))


def test_no_log_contains_a_secret() -> None:
    used = use_passwords()
    known = dict(ENV)
    if (TEST_STACK / "secrets.env").exists():
        known |= {f"TEST_{name}": value for name, value in env_file.read(TEST_STACK / "secrets.env").items()}
    # Warnings contain the published password, which is not secret.
    hidden = secret_values(known) - {PUBLISHED}
    assert len(hidden) >= len(SECRET_NAMES)
    found = {
        str(path): where for path in logs() if (where := find_secrets(path.read_text(errors="replace"), hidden | used))
    }
    assert not found


def use_passwords() -> set[str]:
    """Send valid and wrong passwords to all endpoints that accept one. Return the passwords and a reset token."""
    first, second, third, wrong = (f"{secrets.token_hex(8)} p@ss" for _ in range(4))
    email = new_email()
    token = log_in(ENV["FIRST_SUPERUSER"], ENV["FIRST_SUPERUSER_PASSWORD"]).json()["access_token"]
    with httpx2.Client(base_url=API, headers={"Authorization": f"Bearer {token}"}) as client:
        user = {"email": email, "password": first, "full_name": "A name"}
        assert client.post("/users/", json=user).status_code == 201
        assert client.post("/users/", json=user).status_code == 409
        assert client.post("/users/", json={**user, "email": wrong}).status_code == 422
        assert client.post("/login/access-token", json=user).status_code == 422
    assert log_in(email, wrong).status_code == 400
    own = {"Authorization": f"Bearer {log_in(email, first).json()['access_token']}"}
    with httpx2.Client(base_url=API, headers=own) as client:
        change = {"password": second, "current_password": first}
        assert client.put("/users/me", json={**change, "current_password": wrong}).status_code == 400
        assert client.put("/users/me", json=change).status_code == 200
    mails = f"http://127.0.0.1:{PORTS['mail']}/api/email/all"
    eventually(lambda: succeeded(httpx2.delete(mails)))
    assert httpx2.post(f"{API}/password-recovery/{email}").status_code == 202
    link = re.search(r"/reset-password[?#]token=(\S+)", mail_to(email)["text"])
    assert link
    reset = {"token": link[1], "new_password": third}
    assert httpx2.post(f"{API}/reset-password/", json=reset).status_code == 200
    assert httpx2.post(f"{API}/reset-password/", json=reset).status_code == 400
    return {first, second, third, wrong, link[1]}
