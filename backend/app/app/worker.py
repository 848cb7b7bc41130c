"""The Celery worker's tasks."""

import logging
from typing import ParamSpec

from celery.signals import celeryd_init
from sqlalchemy.orm import Session

import app.core.logging  # noqa: F401  # registers its signal handlers
from app import crud, utils
from app.core.celery_app import LONGEST_DELAY, Task, celery_app
from app.core.config import settings
from app.core.security import fingerprint_matches
from app.core.sentry import init_sentry
from app.db.session import ReadSession

P = ParamSpec("P")

logger = logging.getLogger(__name__)


@celeryd_init.connect
def report_errors(**_: object) -> None:
    init_sentry()


class MailTask(Task[P, None]):
    """Retries after 1, 2, 4 ... 300 seconds, for half an hour in total."""

    autoretry_for = (Exception,)
    retry_backoff = True
    retry_backoff_max = LONGEST_DELAY
    retry_jitter = False
    max_retries = 14

    def delay_after_commit(self, db: Session, *args: P.args, **kwargs: P.kwargs) -> None:
        if settings.EMAILS_ENABLED:
            super().delay_after_commit(db, *args, **kwargs)
        else:
            logger.warning(
                "%s: mail is not configured; set SMTP_HOST and EMAILS_FROM_EMAIL", self.name
            )


@celery_app.task
def test_celery(word: str) -> str:
    return f"test task return {word}"


@celery_app.task(base=MailTask)
def send_test_email(email_to: str) -> None:
    utils.send_test_email(email_to)


@celery_app.task(base=MailTask)
def send_reset_password_email(email: str) -> None:
    """Send a recovery mail if an active user has this email."""
    with ReadSession() as db:
        user = crud.user.get_by_email(db, email=email)
    if user is not None and user.is_active:
        utils.send_reset_password_email(user)


@celery_app.task(base=MailTask)
def send_new_account_email(user_id: int) -> None:
    with ReadSession() as db:
        user = crud.user.get(db, user_id)
    if user is not None and user.is_active:
        utils.send_new_account_email(user)


@celery_app.task(base=MailTask)
def send_sign_up_email(email: str, is_new: bool) -> None:
    """Send the link to confirm the email, or inform its owner that the account exists."""
    with ReadSession() as db:
        user = crud.user.get_by_email(db, email=email)
    if user is not None and user.is_active:
        # The password of a second sign-up was not stored, so confirming would not help its sender.
        send = utils.send_verification_email if is_new else utils.send_account_exists_email
        send(user)


@celery_app.task(base=MailTask)
def send_verification_email(email: str) -> None:
    """Send the link to confirm the email again, if it has to be confirmed."""
    with ReadSession() as db:
        user = crud.user.get_by_email(db, email=email)
    if user is not None and user.is_active and not user.is_verified:
        utils.send_verification_email(user)


@celery_app.task(base=MailTask)
def send_change_email(user_id: int, new_email: str, fingerprint: str) -> None:
    """Send a link to the new email, or inform its owner that they have an account.

    The fingerprint is that of the user's password and email when the change was requested. If one
    has changed since, no link is sent.
    """
    with ReadSession() as db:
        user = crud.user.get(db, user_id)
        owner = crud.user.get_by_email(db, email=new_email)
    if owner is not None:
        if owner.is_active:
            utils.send_account_exists_email(owner)
    elif (
        user is not None
        and user.is_active
        and fingerprint_matches(fingerprint, user.hashed_password, user.email)
    ):
        utils.send_change_email(user, new_email)


@celery_app.task(base=MailTask)
def send_email_changing_email(user_id: int, new_email: str) -> None:
    """Inform the old email of a change that was requested."""
    with ReadSession() as db:
        user = crud.user.get(db, user_id)
    if user is not None and user.is_active:
        utils.send_email_changing_email(user, new_email)
