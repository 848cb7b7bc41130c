import csv
import re
import time
from email.utils import parseaddr

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app import crud, utils
from app.beat import release_lost_jobs, send_overdue_jobs
from app.core import security
from app.core.celery_app import JobError, celery_app
from app.core.config import settings
from app.db.session import SessionLocal
from app.jobs import JobKind
from app.models import Job
from app.tests.utils.jobs import enqueue, let_time_pass, wait_for_job
from app.tests.utils.mailbox import Mailbox, mail_text
from app.tests.utils.sample_note import SAMPLE_NOTES
from app.tests.utils.tasks import count_slowly, die, exhaust_memory, take_too_long
from app.tests.utils.user import auth_headers, create_random_user, user_authentication_headers
from app.tests.utils.utils import (
    get_superuser_token_headers,
    random_email,
    random_lower_string,
)
from app.worker import (
    send_change_email,
    send_email_changing_email,
    send_new_account_email,
    send_reset_password_email,
    send_sign_up_email,
    send_test_email,
    send_verification_email,
)

# All tests that use the `worker` fixture are in this file, so that only one test process starts
# this worker.
# Tests that break a worker or its Redis are in test_worker_faults.py.
pytestmark = pytest.mark.usefixtures("worker")

API = settings.API_V1_STR


def test_worker_returns_result_of_task() -> None:
    result = celery_app.send_task("app.worker.test_celery", args=["test"])
    assert result.get(timeout=20) == "test task return test"


def test_tasks_have_no_statement_timeout() -> None:
    """worker-start.sh overrides the timeout in the environment of the worker."""
    result = celery_app.send_task("app.tests.utils.tasks.sleep_in_database", args=[1.5])
    assert result.get(timeout=20) == "slept"


def test_rows_are_imported_and_exported(committed_client: TestClient) -> None:
    with SessionLocal.begin() as db:
        headers = auth_headers(create_random_user(db))
    content = "".join(["title,text\n", *(f"note {number},text\n" for number in range(7000))])
    response = committed_client.post(
        f"{SAMPLE_NOTES}import",
        params={"name": "my.csv"},
        content=content,
        headers=headers | {"Content-Type": "text/csv"},
    )
    job = wait_for_job(response.json()["id"], "succeeded")
    assert (job.source, job.result, job.progress, job.total) == ("my.csv", "7000 rows", 7000, 7000)
    notes = committed_client.get(SAMPLE_NOTES, params={"limit": 1}, headers=headers)
    assert notes.headers["X-Total-Count"] == "7000"

    response = committed_client.post(f"{SAMPLE_NOTES}export", headers=headers)
    job = wait_for_job(response.json()["id"], "succeeded")
    assert (job.result, job.progress, job.total) == ("7000 rows", 7000, 7000)
    file = committed_client.get(f"{API}/jobs/{job.id}/file", headers=headers)
    titles = [row["title"] for row in csv.DictReader(file.text.removeprefix("\ufeff").splitlines())]
    assert titles == [f"note {number}" for number in range(7000)]


def test_link_in_recovery_mail_sets_password(
    committed_client: TestClient, mailbox: Mailbox
) -> None:
    with SessionLocal.begin() as db:
        user = create_random_user(db)
    response = committed_client.post(f"{API}/password-recovery/{user.email.upper()}")
    assert response.status_code == 202

    mail = mailbox.wait_for(user.email)
    assert mail["Subject"] == (f"{settings.PROJECT_NAME} - Password recovery for user {user.email}")
    assert parseaddr(mail["From"]) == (settings.EMAILS_FROM_NAME, settings.EMAILS_FROM_EMAIL)
    text, html = mail_text(mail), mail_text(mail, "html")
    assert f"valid for {settings.EMAIL_RESET_TOKEN_EXPIRE_HOURS} hours" in text
    assert "ignore this email" in text
    assert "ignore this email" in html
    assert "Or copy this link into your browser:" in html
    assert f'href="{mailed_link(text)}"' in html

    body = {"token": mailed_link(text).split("token=")[1], "new_password": "new password"}
    assert committed_client.post(f"{API}/reset-password/", json=body).status_code == 200
    assert user_authentication_headers(
        client=committed_client, email=user.email, password="new password"
    )


def test_link_in_new_account_mail_sets_password(
    committed_client: TestClient, mailbox: Mailbox
) -> None:
    headers = get_superuser_token_headers(committed_client)
    user = {"email": random_email(), "password": "a secret password"}
    assert committed_client.post(f"{API}/users/", headers=headers, json=user).status_code == 201

    mail = mailbox.wait_for(user["email"])
    assert mail["Subject"] == f"{settings.PROJECT_NAME} - New account for user {user['email']}"
    assert user["password"] not in str(mail)
    text = mail_text(mail)
    assert f"valid for {settings.EMAIL_RESET_TOKEN_EXPIRE_HOURS} hours" in text

    body = {"token": mailed_link(text).split("token=")[1], "new_password": "new password"}
    assert committed_client.post(f"{API}/reset-password/", json=body).status_code == 200


@pytest.fixture
def open_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "USERS_OPEN_REGISTRATION", True)


@pytest.mark.usefixtures("open_registration")
def test_link_in_sign_up_mail_confirms_email(
    committed_client: TestClient, mailbox: Mailbox
) -> None:
    body = {"email": random_email(), "password": "a secret password"}
    assert committed_client.post(f"{API}/users/open", json=body).status_code == 202
    mail = mailbox.wait_for(body["email"])
    assert mail["Subject"] == f"{settings.PROJECT_NAME} - Confirm your email"

    again = {"email": body["email"]}
    assert committed_client.post(f"{API}/email-verification/", json=again).status_code == 202
    link = mailed_link(mail_text(mailbox.wait_for(body["email"])))
    assert link.startswith(f"{settings.SERVER_HOST}/verify-email#token=")
    token = {"token": link.split("token=")[1]}
    assert committed_client.post(f"{API}/verify-email/", json=token).status_code == 200
    assert user_authentication_headers(client=committed_client, **body)


@pytest.mark.usefixtures("open_registration")
@pytest.mark.parametrize("is_verified", [True, False])
def test_owner_of_taken_email_is_informed(
    committed_client: TestClient, mailbox: Mailbox, is_verified: bool
) -> None:
    """Somebody else may have signed up with the email before, so the link sets a password."""
    with SessionLocal.begin() as db:
        user = create_random_user(db, is_verified=is_verified)
    body = {"email": user.email, "password": "a secret password"}
    assert committed_client.post(f"{API}/users/open", json=body).status_code == 202
    mail = mailbox.wait_for(user.email)
    assert mail["Subject"] == f"{settings.PROJECT_NAME} - You already have an account"
    body = {"token": mailed_link(mail_text(mail)).split("token=")[1], "new_password": "a new one"}
    assert committed_client.post(f"{API}/reset-password/", json=body).status_code == 200
    assert user_authentication_headers(
        client=committed_client, email=user.email, password="a new one"
    )


def test_change_of_email_is_confirmed_and_announced(
    committed_client: TestClient, mailbox: Mailbox
) -> None:
    with SessionLocal.begin() as db:
        user = create_random_user(db, password="a secret password", language="ru")
    headers = auth_headers(user)
    new = random_email()
    body = {"email": new, "current_password": "a secret password"}
    assert committed_client.put(f"{API}/users/me", headers=headers, json=body).is_success

    announced = mailbox.wait_for(user.email)
    assert announced["Subject"] == f"{settings.PROJECT_NAME}: адрес учётной записи меняется"
    assert new in mail_text(announced)
    mail = mailbox.wait_for(new)
    assert mail["Subject"] == f"{settings.PROJECT_NAME}: подтвердите новый адрес"
    html = mail_text(mail, "html")
    assert '<html lang="ru"' in html
    assert "Или скопируйте эту ссылку в браузер:" in html
    link = mailed_link(mail_text(mail))
    assert f'href="{link}"' in html
    token = {"token": link.split("token=")[1]}
    assert committed_client.post(f"{API}/verify-email/", json=token).status_code == 200
    me = committed_client.get(f"{API}/users/me", headers=headers)
    assert me.json()["email"] == new


def test_new_password_stops_a_change_of_the_email(
    committed_client: TestClient, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the link is sent later, for example because the mail server was down."""
    with SessionLocal.begin() as db:
        user = create_random_user(db, password="a secret password")
    new, last = random_email(), random_email()
    with monkeypatch.context() as patch:
        patch.setattr(JobKind, "send", lambda *_: None)
        body = {"email": new, "current_password": "a secret password", "password": "a new one"}
        url, headers = f"{API}/users/me", auth_headers(user)
        assert committed_client.put(url, headers=headers, json=body).is_success
    with SessionLocal() as db:
        job = db.scalars(select(Job).where(Job.owner_id == user.id).order_by(Job.id)).first()
    assert job
    assert job.arguments
    enqueue(send_change_email, None, **job.arguments)
    mailbox.wait_for(new)

    with SessionLocal.begin() as db:
        stored = crud.user.get(db, user.id)
        assert stored is not None
        crud.user.update(db, db_obj=stored, obj_in={"password": "the owner's password"})
    enqueue(send_change_email, None, **job.arguments)
    enqueue(send_test_email, None, last)
    mailbox.wait_for(last)
    assert mailbox.mails_to(new) == []


def test_owner_of_taken_new_email_is_informed(
    committed_client: TestClient, mailbox: Mailbox
) -> None:
    with SessionLocal.begin() as db:
        user = create_random_user(db, password="a secret password")
        other = create_random_user(db)
    body = {"email": other.email, "current_password": "a secret password"}
    response = committed_client.put(f"{API}/users/me", headers=auth_headers(user), json=body)
    assert response.is_success
    mailbox.wait_for(user.email)
    subject = mailbox.wait_for(other.email)["Subject"]
    assert subject == f"{settings.PROJECT_NAME} - You already have an account"


def test_verified_users_get_no_verification_mail(mailbox: Mailbox) -> None:
    with SessionLocal.begin() as db:
        verified = create_random_user(db)
        inactive = create_random_user(db, is_verified=False, is_active=False)
    last = random_email()
    for email in (verified.email, inactive.email, random_email()):
        enqueue(send_verification_email, None, email)
    enqueue(send_test_email, None, last)
    mailbox.wait_for(last)
    assert mailbox.mails_to(verified.email) == mailbox.mails_to(inactive.email) == []
    with SessionLocal.begin() as db:
        for user in (verified, inactive):
            crud.user.remove(db, id=user.id)


def test_inactive_users_get_no_mail(mailbox: Mailbox) -> None:
    with SessionLocal.begin() as db:
        active = create_random_user(db)
        inactive = create_random_user(db, is_active=False)
    new, last = random_email(), random_email()
    enqueue(send_sign_up_email, None, inactive.email, is_new=False)
    enqueue(send_change_email, None, active.id, inactive.email, "")
    fingerprint = security.fingerprint(inactive.hashed_password, inactive.email)
    enqueue(send_change_email, None, inactive.id, new, fingerprint)
    enqueue(send_email_changing_email, None, inactive.id, new)
    enqueue(send_test_email, None, last)
    mailbox.wait_for(last)
    assert mailbox.mails_to(inactive.email) == mailbox.mails_to(new) == []
    with SessionLocal.begin() as db:
        for user in (active, inactive):
            crud.user.remove(db, id=user.id)


def test_test_email_is_sent(committed_client: TestClient, mailbox: Mailbox) -> None:
    headers = get_superuser_token_headers(committed_client)
    email_to = random_email()
    response = committed_client.post(
        f"{API}/utils/test-email/", headers=headers, params={"email_to": email_to}
    )
    assert (response.status_code, response.json()) == (201, {"msg": "Test email sent"})
    assert mailbox.wait_for(email_to)["Subject"] == f"{settings.PROJECT_NAME} - Test email"


def test_temporarily_rejected_mail_is_repeated(mailbox: Mailbox) -> None:
    email_to = random_email()
    mailbox.rejections.append("451 Try again")
    job_id = enqueue(send_test_email, None, email_to)
    job = wait_for_job(job_id, "queued", attempts=1)
    assert job.message == "The mail server did not accept the mail (451)"
    assert mailbox.mails_to(email_to) == []
    let_time_pass(job_id)
    with SessionLocal.begin() as db:
        send_overdue_jobs(db)
    mail = mailbox.wait_for(email_to)
    job = wait_for_job(job_id, "succeeded")
    assert (job.attempts, job.message, job.arguments) == (2, "", None)
    assert mail["Message-ID"].startswith(f"<job-{job_id}-")


def test_permanently_rejected_mail_is_not_repeated(mailbox: Mailbox) -> None:
    mailbox.rejections.append("550 No such user")
    job = wait_for_job(enqueue(send_test_email, None, random_email()), "failed")
    assert job.attempts == 1
    assert job.message == "The mail server did not accept the mail (550)"
    assert job.arguments is None


def test_mail_without_settings_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "EMAILS_ENABLED", False)
    with pytest.raises(JobError, match="set SMTP_HOST"):
        utils.send_test_email("key", random_email())


def test_unknown_and_inactive_users_get_no_mail(mailbox: Mailbox) -> None:
    with SessionLocal.begin() as db:
        inactive = create_random_user(db, is_active=False)
    enqueue(send_new_account_email, None, inactive.id)
    unknown, last = random_email(), random_email()
    for email in (unknown, inactive.email):
        enqueue(send_reset_password_email, None, email)
    enqueue(send_test_email, None, last)
    mailbox.wait_for(last)
    assert mailbox.mails_to(unknown) == mailbox.mails_to(inactive.email) == []
    with SessionLocal.begin() as db:
        crud.user.remove(db, id=inactive.id)


def test_rolled_back_transaction_sends_no_mail(mailbox: Mailbox) -> None:
    dropped, sent = random_email(), random_email()
    with SessionLocal() as db:
        send_test_email.enqueue(db, None, dropped)
        db.rollback()
        send_test_email.enqueue(db, None, sent)
        db.commit()
    mailbox.wait_for(sent)
    assert mailbox.mails_to(dropped) == []


def test_released_savepoint_sends_no_mail(mailbox: Mailbox) -> None:
    dropped, sent = random_email(), random_email()
    with SessionLocal() as db:
        with db.begin_nested():
            send_test_email.enqueue(db, None, dropped)
        db.rollback()
        with db.begin_nested():
            send_test_email.enqueue(db, None, sent)
        db.commit()
    mailbox.wait_for(sent)
    assert mailbox.mails_to(dropped) == []


def test_user_data_is_not_rendered(mailbox: Mailbox) -> None:
    """Neither as a template of Jinja nor as one of str.format."""
    email_to = "{{7*7}}{link}@example.com"
    utils.send_email("key", email_to, "reset_password", link="https://example.com")
    mail = mailbox.wait_for(email_to)
    assert str(mail["Subject"]).endswith(email_to)
    assert email_to in mail_text(mail)
    assert email_to in mail_text(mail, "html")


@pytest.mark.parametrize(
    ("domain", "sent_to"),
    [
        ("straße.de", "xn--strae-oqa.de"),
        ("STRAẞE.de", "xn--strae-oqa.de"),
        ("xn--strae-oqa.de", "xn--strae-oqa.de"),
        ("faß.example.com", "xn--fa-hia.example.com"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("日本語。jp", "xn--wgv71a119e.jp"),
        ("ÖBB.at", "xn--bb-eka.at"),
    ],
)
def test_mail_domain_is_encoded_with_idna_2008(
    committed_client: TestClient, mailbox: Mailbox, domain: str, sent_to: str
) -> None:
    """With IDNA 2003, the mail would go to strasse.de instead of straße.de."""
    headers = get_superuser_token_headers(committed_client)
    name = random_lower_string()
    user = {"email": f"{name}@{domain}", "password": random_lower_string()}
    assert committed_client.post(f"{API}/users/", headers=headers, json=user).status_code == 201
    mail = mailbox.wait_for(f"{name}@{sent_to}")
    assert mail["X-RcptTo"] == f"{name}@{sent_to}"


def test_mail_has_date_and_message_id(mailbox: Mailbox) -> None:
    """Large providers reject mail without these headers."""
    email_to = random_email()
    utils.send_test_email("first", email_to)
    utils.send_test_email("second", email_to)
    first, second = mailbox.wait_for(email_to), mailbox.wait_for(email_to)
    sender_domain = str(settings.EMAILS_FROM_EMAIL).partition("@")[2]
    for mail in (first, second):
        assert mail["Message-ID"].endswith(f"@{sender_domain}>")
        assert mail["Date"]
    assert first["Message-ID"] != second["Message-ID"]


def test_html_is_escaped(mailbox: Mailbox) -> None:
    email_to = random_email()
    utils.send_email("key", email_to, "reset_password", link='"><script>alert(1)</script>')
    html = mail_text(mailbox.wait_for(email_to), "html")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_unreachable_mail_server_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail library raises no error. Only the response 250 means that the mail was sent."""
    monkeypatch.setattr(settings, "SMTP_PORT", 1)
    with pytest.raises(utils.MailNotSent, match="connection to the mail server failed") as caught:
        utils.send_test_email("key", random_email())
    assert not caught.value.permanent
    assert "refused" in str(caught.value.__cause__)


def test_job_that_kills_its_process_fails() -> None:
    """Without a limit, it would be repeated forever."""
    job_id = enqueue(die)
    for attempt in (1, 2):
        wait_for_job(job_id, "running", attempts=attempt)
        # Other jobs run meanwhile: this one is repeated only when its lease has ended.
        wait_for_job(enqueue(exhaust_memory), "failed")
        let_time_pass(job_id)
        with SessionLocal.begin() as db:
            release_lost_jobs(db)
        with SessionLocal.begin() as db:
            send_overdue_jobs(db)
    job = wait_for_job(job_id, "failed")
    assert (job.attempts, job.message) == (2, "The process of the worker died")


def test_out_of_memory_fails_only_the_job() -> None:
    """In Celery 5.7, a MemoryError would stop the whole worker."""
    job = wait_for_job(enqueue(exhaust_memory), "failed")
    assert job.message == "MemoryError"
    result = celery_app.send_task("app.worker.test_celery", args=["next"])
    assert result.get(timeout=10) == "test task return next"


def test_job_fails_at_its_time_limit() -> None:
    job = wait_for_job(enqueue(take_too_long), "failed")
    assert job.message == "The job took longer than 1 seconds"


def test_running_job_shows_its_progress_and_is_cancelled(committed_client: TestClient) -> None:
    headers = get_superuser_token_headers(committed_client)
    job_id = enqueue(count_slowly)
    url = f"{API}/jobs/{job_id}"
    for _ in range(100):
        body = committed_client.get(url, headers=headers).json()
        if body["progress"]:
            break
        time.sleep(0.1)
    assert (body["state"], body["total"], body["message"]) == ("running", 1000, "counting")
    response = committed_client.post(f"{url}/cancel", headers=headers)
    assert (response.status_code, response.json()["state"]) == (200, "cancelled")
    # The worker has one process, so this job has to wait for the end of the cancelled one.
    wait_for_job(enqueue(exhaust_memory), "failed")
    assert committed_client.get(url, headers=headers).json()["state"] == "cancelled"


def mailed_link(text: str) -> str:
    match = re.search(r"https?://\S+/(?:reset-password|verify-email)#token=\S+", text)
    assert match
    assert match[0].startswith(settings.SERVER_HOST)
    return match[0]
