"""Mails and the tokens in their links."""

import json
from datetime import timedelta
from functools import cache
from types import SimpleNamespace

import idna
from emails.message import Message
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.core.celery_app import JobError
from app.core.config import settings
from app.core.security import Purpose, create_token
from app.core.smtp import VerifyingBackend
from app.models import User

templates = Environment(
    loader=FileSystemLoader(settings.EMAIL_TEMPLATES_DIR),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
)


class MailNotSent(JobError):
    """The mail server did not accept the mail. The cause has the details."""


@cache
def _texts(language: str) -> dict[str, dict[str, str]]:
    """Return the texts of each template."""
    texts: dict[str, dict[str, str]] = json.loads(
        (settings.EMAIL_TEMPLATES_DIR / f"{language}.json").read_text("utf-8")
    )
    return texts


def send_email(
    key: str, email_to: str, template: str, *, language: str = "en", **context: str | int
) -> None:
    """Send a mail with a text and an HTML part.

    The Message-ID contains the key, so that mail programs recognise a mail that was sent twice.
    Raises MailNotSent, and JobError if mail is not configured.
    """
    if not settings.EMAILS_ENABLED:
        raise JobError("Mail is not configured: set SMTP_HOST and EMAILS_FROM_EMAIL")
    context |= {
        "project_name": settings.PROJECT_NAME,
        "email": email_to,
        "language": language,
        "valid_hours": settings.EMAIL_RESET_TOKEN_EXPIRE_HOURS,
    }
    texts = _texts(language)
    # Not a dict: in a template, the text "copy" would be the method of the dict.
    text = SimpleNamespace(
        **{
            name: value.format_map(context)
            for name, value in (texts["common"] | texts[template]).items()
        }
    )
    sender = ascii_email(str(settings.EMAILS_FROM_EMAIL))
    message = Message(
        subject=text.subject,
        text=templates.get_template(f"{template}.txt").render(context, text=text),
        html=templates.get_template(f"{template}.html").render(context, text=text),
        mail_from=(settings.EMAILS_FROM_NAME, sender),
        message_id=f"<{key}@{sender.partition('@')[2]}>",
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
    code = response.status_code  # None, if the connection failed.
    if code != 250:
        raise MailNotSent(
            f"The mail server did not accept the mail ({code})"
            if code
            else "The connection to the mail server failed",
            permanent=code is not None and code >= 500,
        ) from response.error


def ascii_email(email: str) -> str:
    """Return the address with its domain encoded for DNS, by IDNA 2008.

    The mail library would use IDNA 2003, which turns straße.de into another domain, strasse.de.
    """
    local_part, _, domain = email.rpartition("@")
    return f"{local_part}@{idna.encode(domain).decode()}"


def send_test_email(key: str, email_to: str) -> None:
    send_email(key, email_to, "test_email")


def send_reset_password_email(key: str, user: User) -> None:
    _send_link(key, user, "reset_password", "reset-password")


def send_new_account_email(key: str, user: User) -> None:
    _send_link(key, user, "new_account", "new-account")


def send_account_exists_email(key: str, user: User) -> None:
    _send_link(key, user, "account_exists", "reset-password")


def send_verification_email(key: str, user: User) -> None:
    _send_link(key, user, "verify_email", "verify-email")


def send_change_email(key: str, user: User, new_email: str) -> None:
    """Send the new email a link that changes the email of the account."""
    token = generate_mailed_token(user, "change-email", email=new_email)
    link = f"{settings.SERVER_HOST}/verify-email#token={token}"
    send_email(key, new_email, "change_email", language=user.language, link=link)


def send_email_changing_email(key: str, user: User, new_email: str) -> None:
    """Inform the old email. To set a new password invalidates the link sent to the new one."""
    _send_link(key, user, "email_changing", "reset-password", new_email=new_email)


def generate_password_reset_token(user: User) -> str:
    """Return a token that can set a new password once, before it expires."""
    return generate_mailed_token(user, "reset-password")


def generate_mailed_token(user: User, purpose: Purpose, **claims: str) -> str:
    """Return the token of a mailed link. A new password or email invalidates it."""
    lifetime = timedelta(hours=settings.EMAIL_RESET_TOKEN_EXPIRE_HOURS)
    return create_token(purpose, user.id, lifetime, user.hashed_password, user.email, **claims)


def _send_link(key: str, user: User, template: str, purpose: Purpose, **context: str) -> None:
    view = "verify-email" if purpose == "verify-email" else "reset-password"
    link = f"{settings.SERVER_HOST}/{view}#token={generate_mailed_token(user, purpose)}"
    send_email(key, user.email, template, language=user.language, link=link, **context)
