import os
import socket
import tempfile
from urllib.parse import urlsplit

from sqlalchemy import make_url

from app.core.config import settings

# The number of this process in a parallel run.
PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))

# The main process changes its environment, and then starts the processes of a parallel run. They
# find the original URLs in these variables.
DEVELOPMENT_DATABASE = os.environ.setdefault(
    "DEVELOPMENT_DATABASE_URI", settings.SQLALCHEMY_DATABASE_URI
)
DEVELOPMENT_REDIS = os.environ.setdefault("DEVELOPMENT_REDIS_URL", settings.CELERY_BROKER_URL)


# Tests send more requests than any client.
UNLIMITED = dict.fromkeys(
    (
        "LIMIT_FAILED_PASSWORDS",
        "LIMIT_FAILED_PASSWORDS_OF_NETWORK",
        "LIMIT_MAILS",
        "LIMIT_MAILS_OF_NETWORK",
    ),
    "1000000 per second",
)


def use_test_services() -> None:
    """Point the settings to a database, Redis number and SMTP port that only this process uses."""
    database = make_url(DEVELOPMENT_DATABASE)
    database = database.set(database=f"{database.database}_test_{PROCESS}")
    redis = redis_url_for_tests(DEVELOPMENT_REDIS)
    os.environ |= {
        "ENVIRONMENT": "development",
        "SQLALCHEMY_DATABASE_URI": database.render_as_string(hide_password=False),
        "CELERY_BROKER_URL": redis,
        "CELERY_RESULT_BACKEND": redis,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(free_port(20_000 + 1000 * PROCESS)),
        "SMTP_TLS": "false",
        "SMTP_SSL": "false",
        "SMTP_USER": "",
        "SMTP_PASSWORD": "",
        "EMAILS_FROM_EMAIL": "info@example.com",
        "EMAILS_ENABLED": "true",
        "BACKEND_CORS_ORIGINS": "http://localhost,https://example.com",
        "USERS_OPEN_REGISTRATION": "false",
        **UNLIMITED,
        "SENTRY_DSN": "",
        "FILE_STORE": f"{tempfile.gettempdir()}/test-files-{os.getuid()}-{PROCESS}",
    }
    settings.__init__()  # type: ignore[misc]  # pydantic's way to reload settings


def redis_url_for_tests(url: str) -> str:
    """Return the URL of this process's Redis database, which is not the one for development."""
    parts = urlsplit(url)
    numbers = [number for number in range(16) if str(number) != (parts.path.strip("/") or "0")]
    return parts._replace(path=f"/{numbers[PROCESS]}").geturl()


def free_port(start: int) -> int:
    """Return an unused port. Start below 32768, because Linux gives clients the ports above."""
    for port in range(start, start + 1000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError(f"no free port from {start} on")
