"""Mails and password reset tokens."""

from datetime import timedelta
from email.utils import make_msgid

import idna
from emails.message import Message
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.core.config import settings
from app.core.security import Purpose, create_token
from app.core.smtp import VerifyingBackend
from app.models import User

templates = Environment(
    loader=FileSystemLoader(settings.EMAIL_TEMPLATES_DIR),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
)


class MailNotSent(Exception):
    """The mail server did not accept the mail."""


def send_email(email_to: str, subject: str, template: str, **context: str | int) -> None:
    """Send a mail with a text and an HTML part. Raises MailNotSent."""
    context |= {"project_name": settings.PROJECT_NAME, "email": email_to}
    sender = ascii_email(str(settings.EMAILS_FROM_EMAIL))
    message = Message(
        subject=subject,
        text=templates.get_template(f"{template}.txt").render(context),
        html=templates.get_template(f"{template}.html").render(context),
        mail_from=(settings.EMAILS_FROM_NAME, sender),
        message_id=make_msgid(domain=sender.partition("@")[2]),
    )
    with VerifyingBackend(
        host=settings.SMTP_HOST,
        port=settings.SMTP_PORT,
        user=settings.SMTP_USER,
        password=settings.SMTP_PASSWORD,
        ssl=settings.SMTP_SSL,
        tls=settings.SMTP_TLS and not settings.SMTP_SSL,
        timeout=10,
    ) as smtp:
        response = message.send(to=ascii_email(email_to), smtp=smtp)
    # If the connection failed, the response has no status.
    if response.status_code != 250:
        raise MailNotSent(f"{settings.SMTP_HOST}:{settings.SMTP_PORT}: {response.error}")


def ascii_email(email: str) -> str:
    """Return the address with its domain encoded for DNS, by IDNA 2008.

    The mail library would use IDNA 2003, which turns straße.de into another domain, strasse.de.
    """
    local_part, _, domain = email.rpartition("@")
    return f"{local_part}@{idna.encode(domain).decode()}"


def send_test_email(email_to: str) -> None:
    send_email(email_to, f"{settings.PROJECT_NAME} - Test email", "test_email")


def send_reset_password_email(user: User) -> None:
    subject = f"{settings.PROJECT_NAME} - Password recovery for user {user.email}"
    _send_link(user, "reset-password", subject, "reset_password")


def send_new_account_email(user: User) -> None:
    subject = f"{settings.PROJECT_NAME} - New account for user {user.email}"
    _send_link(user, "new-account", subject, "new_account")


def generate_password_reset_token(user: User, purpose: Purpose = "reset-password") -> str:
    """Return a token that can set a new password once, before it expires."""
    lifetime = timedelta(hours=settings.EMAIL_RESET_TOKEN_EXPIRE_HOURS)
    return create_token(purpose, user.id, lifetime, user.hashed_password, user.email)


def _send_link(user: User, purpose: Purpose, subject: str, template: str) -> None:
    token = generate_password_reset_token(user, purpose)
    send_email(
        user.email,
        subject,
        template,
        link=f"{settings.SERVER_HOST}/reset-password#token={token}",
        valid_hours=settings.EMAIL_RESET_TOKEN_EXPIRE_HOURS,
    )
