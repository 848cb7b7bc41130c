"""The jobs that the Celery worker runs."""

from datetime import timedelta

from celery.schedules import crontab
from celery.signals import beat_init, celeryd_init

import app.core.logging  # noqa: F401  # registers its signal handlers
from app import crud, utils
from app.core.celery_app import celery_app
from app.core.files import delete_old
from app.core.security import fingerprint_matches
from app.core.sentry import init_sentry
from app.crud.crud_item import item as crud_item
from app.csv_files import csv_jobs
from app.db.session import ReadSession
from app.jobs import Run, job
from app.schemas.item import ItemQuery

# The last attempt is about three hours after the first.
MAIL_ATTEMPTS = 14
# Files that no job needs are deleted at this age.
UNUSED_FILES = timedelta(days=1)


@beat_init.connect
@celeryd_init.connect
def report_errors(**_: object) -> None:
    init_sentry()


@celery_app.task
def test_celery(word: str) -> str:
    return f"test task return {word}"


@job(schedule=crontab(hour="3", minute="0"))
def prune(run: Run) -> None:
    """Delete old jobs and audit rows, and the sessions that have ended."""
    crud.job.prune(run.db)
    crud.session.prune(run.db)
    crud.audit.prune(run.db)


@job(schedule=crontab(hour="3", minute="30"))
def delete_unused_files(_: Run) -> str:
    """Delete uploads that were read, and the files of deleted jobs."""
    with ReadSession() as db:
        keys = crud.job.file_keys(db)
    return f"{delete_old(keys, UNUSED_FILES)} files"


@job(attempts=MAIL_ATTEMPTS)
def send_test_email(run: Run, email_to: str) -> None:
    utils.send_test_email(run.key, email_to)


@job(attempts=MAIL_ATTEMPTS)
def send_reset_password_email(run: Run, email: str) -> None:
    """Send a recovery mail if an active user has this email."""
    with ReadSession() as db:
        user = crud.user.get_by_email(db, email=email)
    if user is not None and user.is_active:
        utils.send_reset_password_email(run.key, user)


@job(attempts=MAIL_ATTEMPTS)
def send_new_account_email(run: Run, user_id: int) -> None:
    with ReadSession() as db:
        user = crud.user.get(db, user_id)
    if user is not None and user.is_active:
        utils.send_new_account_email(run.key, user)


@job(attempts=MAIL_ATTEMPTS)
def send_sign_up_email(run: Run, email: str, is_new: bool) -> None:
    """Send the link to confirm the email, or inform its owner that the account exists."""
    with ReadSession() as db:
        user = crud.user.get_by_email(db, email=email)
    if user is not None and user.is_active:
        # The password of a second sign-up was not stored, so confirming would not help its sender.
        send = utils.send_verification_email if is_new else utils.send_account_exists_email
        send(run.key, user)


@job(attempts=MAIL_ATTEMPTS)
def send_verification_email(run: Run, email: str) -> None:
    """Send the link to confirm the email again, if it has to be confirmed."""
    with ReadSession() as db:
        user = crud.user.get_by_email(db, email=email)
    if user is not None and user.is_active and not user.is_verified:
        utils.send_verification_email(run.key, user)


@job(attempts=MAIL_ATTEMPTS)
def send_change_email(run: Run, user_id: int, new_email: str, fingerprint: str) -> None:
    """Send a link to the new email, or inform its owner that they have an account.

    The fingerprint is that of the user's password and email when the change was requested. If one
    has changed since, no link is sent.
    """
    with ReadSession() as db:
        user = crud.user.get(db, user_id)
        owner = crud.user.get_by_email(db, email=new_email)
    if owner is not None:
        if owner.is_active:
            utils.send_account_exists_email(run.key, owner)
    elif (
        user is not None
        and user.is_active
        and fingerprint_matches(fingerprint, user.hashed_password, user.email)
    ):
        utils.send_change_email(run.key, user, new_email)


@job(attempts=MAIL_ATTEMPTS)
def send_email_changing_email(run: Run, user_id: int, new_email: str) -> None:
    """Inform the old email of a change that was requested."""
    with ReadSession() as db:
        user = crud.user.get(db, user_id)
    if user is not None and user.is_active:
        utils.send_email_changing_email(run.key, user, new_email)


# The imports and exports of resources.
import_items, export_items = csv_jobs("items", crud_item, ItemQuery)
