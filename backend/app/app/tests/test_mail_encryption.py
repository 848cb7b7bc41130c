"""With TLS, mail is sent only to a server with a valid certificate."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from app import utils
from app.core.config import settings
from app.tests.utils.certificates import Certificate, make_certificate
from app.tests.utils.environment import PROCESS, free_port
from app.tests.utils.mailbox import Mailbox
from app.tests.utils.utils import random_email

PASSWORD = "smtp-password-canary"
Servers = Callable[[Certificate], AbstractContextManager[Mailbox]]


@pytest.fixture(scope="module")
def ca() -> Certificate:
    return make_certificate(is_ca=True)


@pytest.fixture(params=["STARTTLS", "SSL"])
def start_smtp_server(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Servers:
    """Return a function that starts an SMTP server with the given certificate."""
    is_ssl = request.param == "SSL"

    @contextmanager
    def serve(certificate: Certificate) -> Iterator[Mailbox]:
        context = certificate.server_context(tmp_path)
        mailbox = Mailbox()
        port = free_port(30_000 + 100 * PROCESS)
        controller = Controller(
            mailbox,
            hostname="127.0.0.1",
            port=port,
            ssl_context=context if is_ssl else None,
            tls_context=None if is_ssl else context,
            authenticator=mailbox.accept_login,
            auth_require_tls=not is_ssl,
        )
        controller.start()
        monkeypatch.setattr(settings, "SMTP_PORT", port)
        try:
            yield mailbox
        finally:
            controller.stop()

    monkeypatch.setattr(settings, "SMTP_TLS", not is_ssl)
    monkeypatch.setattr(settings, "SMTP_SSL", is_ssl)
    monkeypatch.setattr(settings, "SMTP_USER", "user")
    monkeypatch.setattr(settings, "SMTP_PASSWORD", PASSWORD)
    monkeypatch.setattr(settings, "SMTP_HOST", "localhost")
    return serve


def trust_ca(monkeypatch: pytest.MonkeyPatch, ca: Certificate, folder: Path) -> None:
    monkeypatch.setattr(settings, "SMTP_CA_FILE", ca.write(folder / "ca.pem"), raising=False)


def assert_not_sent(mailbox: Mailbox, reason: str) -> None:
    with pytest.raises(utils.MailNotSent) as error:
        utils.send_test_email("key", random_email())
    assert re.search(reason, str(error.value.__cause__))
    assert PASSWORD not in str(error.value.__cause__)
    assert mailbox.mails == []
    assert mailbox.logins == []


def test_configured_ca_is_trusted(
    start_smtp_server: Servers, ca: Certificate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trust_ca(monkeypatch, ca, tmp_path)
    email = random_email()
    with start_smtp_server(make_certificate("localhost", issuer=ca)) as mailbox:
        utils.send_test_email("key", email)
        mailbox.wait_for(email)
    assert mailbox.logins == [PASSWORD.encode()]


def test_ip_address_must_match_certificate(
    start_smtp_server: Servers, ca: Certificate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trust_ca(monkeypatch, ca, tmp_path)
    monkeypatch.setattr(settings, "SMTP_HOST", "127.0.0.1")
    email = random_email()
    with start_smtp_server(make_certificate("127.0.0.1", issuer=ca)) as mailbox:
        utils.send_test_email("key", email)
        mailbox.wait_for(email)
    with start_smtp_server(make_certificate("127.0.0.2", issuer=ca)) as mailbox:
        assert_not_sent(mailbox, "IP address mismatch")


def test_unknown_ca_is_rejected(start_smtp_server: Servers, ca: Certificate) -> None:
    with start_smtp_server(make_certificate("localhost", issuer=ca)) as mailbox:
        assert_not_sent(mailbox, "unable to get local issuer certificate")


def test_self_signed_certificate_is_rejected(start_smtp_server: Servers) -> None:
    with start_smtp_server(make_certificate("localhost")) as mailbox:
        assert_not_sent(mailbox, "self-signed certificate")


def test_self_signed_certificate_is_rejected_with_configured_ca(
    start_smtp_server: Servers, ca: Certificate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trust_ca(monkeypatch, ca, tmp_path)
    with start_smtp_server(make_certificate("localhost")) as mailbox:
        assert_not_sent(mailbox, "self-signed certificate")


@pytest.mark.parametrize(
    "host", ["example.com", "localhost.example.com", "*.localhost", "127.0.0.1"]
)
def test_wrong_host_name_is_rejected(
    start_smtp_server: Servers,
    ca: Certificate,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    host: str,
) -> None:
    trust_ca(monkeypatch, ca, tmp_path)
    with start_smtp_server(make_certificate(host, issuer=ca)) as mailbox:
        assert_not_sent(mailbox, "Hostname mismatch")


@pytest.mark.parametrize(("days", "reason"), [((-2, -1), "expired"), ((1, 2), "not yet valid")])
def test_validity_period_is_checked(
    start_smtp_server: Servers,
    ca: Certificate,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    days: tuple[int, int],
    reason: str,
) -> None:
    trust_ca(monkeypatch, ca, tmp_path)
    with start_smtp_server(make_certificate("localhost", issuer=ca, days=days)) as mailbox:
        assert_not_sent(mailbox, reason)


def test_server_without_starttls_gets_no_mail(
    monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox
) -> None:
    """A man in the middle could remove STARTTLS from the server's response."""
    monkeypatch.setattr(settings, "SMTP_TLS", True)
    before = len(mailbox.mails)
    with pytest.raises(utils.MailNotSent) as error:
        utils.send_test_email("key", random_email())
    assert "STARTTLS" in str(error.value.__cause__)
    assert len(mailbox.mails) == before


def test_server_without_ssl_gets_no_mail(monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox) -> None:
    monkeypatch.setattr(settings, "SMTP_SSL", True)
    before = len(mailbox.mails)
    with pytest.raises(utils.MailNotSent):
        utils.send_test_email("key", random_email())
    assert len(mailbox.mails) == before
