"""SMTP over TLS with verified certificates: the mail library does not verify them."""

import ssl
from typing import Any

from emails.backend.smtp.backend import SMTPBackend
from emails.backend.smtp.client import SMTPClientWithResponse, SMTPClientWithResponse_SSL

from app.core.config import settings


def tls_context() -> ssl.SSLContext:
    """Return a context that trusts the system's CAs, or only the CA in SMTP_CA_FILE."""
    return ssl.create_default_context(cafile=settings.SMTP_CA_FILE)


class StartTLSClient(SMTPClientWithResponse):
    def starttls(self, *_: object, **__: object) -> tuple[int, bytes]:
        return super().starttls(context=tls_context())


class SSLClient(SMTPClientWithResponse_SSL):
    def __init__(self, **options: Any) -> None:
        self.context = tls_context()
        # Skip the parent's __init__, which would connect twice and replace the context.
        SMTPClientWithResponse.__init__(self, **options)  # type: ignore[no-untyped-call]


class VerifyingBackend(SMTPBackend):
    connection_cls = StartTLSClient
    connection_ssl_cls = SSLClient
