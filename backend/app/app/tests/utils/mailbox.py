import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from threading import Condition
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Mailbox:
    """The handler of an SMTP server. It stores mails, and can reject some."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        # The passwords of logins. Every login is accepted.
        self.logins: list[bytes] = []
        # Error responses to the next mails, which are not stored.
        self.rejections: list[str] = []
        self._arrived = Condition()

    @classmethod
    @contextmanager
    def listening(cls, port: int) -> Iterator["Mailbox"]:
        mailbox = cls()
        controller = Controller(mailbox, hostname="127.0.0.1", port=port)
        controller.start()
        try:
            yield mailbox
        finally:
            controller.stop()

    def accept_login(self, *arguments: Any) -> AuthResult:
        self.logins.append(arguments[-1].password)
        return AuthResult(success=True)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.rejections:
            return self.rejections.pop(0)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        mail["X-RcptTo"] = ", ".join(envelope.rcpt_tos)
        with self._arrived:
            self.mails.append(mail)
            self._arrived.notify_all()
        return "250 OK"

    def mails_to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]

    def wait_for(self, address: str, seconds: float = 20) -> EmailMessage:
        """Wait for a mail to this address, remove it from the mailbox, and return it."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: self.mails_to(address), seconds), (
                "no mail arrived"
            )
            mail = self.mails_to(address)[0]
            self.mails.remove(mail)
            return mail


def mail_text(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())
