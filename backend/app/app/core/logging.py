"""What a log line looks like: it has the request's id, no secret, and is one line."""

import logging
import re

from asgi_correlation_id import CorrelationIdFilter
from celery.signals import after_setup_logger, after_setup_task_logger

LINE = "%(asctime)s %(levelname)s [%(correlation_id)s] %(name)s: %(message)s"
# The server has given these handlers already, for the files that its settings name.
SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access")

# Values of a query string, JSON web tokens, hashes of passwords.
SECRETS = re.compile(
    r"""([?&#][\w-]*(?:token|password|secret)[\w-]*=)[^&\s"']*"""
    r"""|eyJ[\w-]+\.[\w-]+\.[\w-]*|\$(?:argon2\w*|2[abxy])\$[\w$=,./+-]+""",
    re.IGNORECASE,
)


class SafeRecord(logging.Filter):
    """Makes a record safe to read in a terminal, whichever formatter writes it.

    Client input could otherwise forge lines, or show secrets to whoever reads logs.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = safe(record.getMessage().strip()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            # Indented: an exception's message may look like a line of the log.
            lines = record.exc_text.split("\n")
            record.exc_text = "\n".join("  " + safe(line) for line in lines)
        return True


def hide_secrets(text: str) -> str:
    return SECRETS.sub(r"\1***", text)


def safe(text: str) -> str:
    text = hide_secrets(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def configure_logging() -> None:
    """Give all log lines of this process one format. Call it after the server's own set-up."""
    logging.basicConfig()
    logging.getLogger("app").setLevel(logging.INFO)
    for logger in map(logging.getLogger, (None, *SERVER_LOGGERS)):
        for handler in logger.handlers:
            handler.addFilter(CorrelationIdFilter(default_value="-"))
            handler.addFilter(SafeRecord())
            handler.setFormatter(logging.Formatter(LINE))


@after_setup_logger.connect
@after_setup_task_logger.connect
def make_worker_logs_safe(logger: logging.Logger, **_: object) -> None:
    """Keep Celery's formats, which name the task."""
    for handler in logger.handlers:
        handler.addFilter(SafeRecord())
