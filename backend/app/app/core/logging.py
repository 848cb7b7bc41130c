"""The log format, and a filter that hides secrets and escapes control characters."""

import logging
import re

from asgi_correlation_id import CorrelationIdFilter
from celery.signals import after_setup_logger, after_setup_task_logger

LINE = "%(asctime)s %(levelname)s [%(correlation_id)s] %(name)s: %(message)s"
# These loggers already have handlers: the server adds them for its configured log files.
SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access")

# Matches secrets: values in a query string, JSON web tokens, and password hashes.
SECRETS = re.compile(
    r"""([?&#][\w-]*(?:token|password|secret)[\w-]*=)[^&\s"']*"""
    r"""|eyJ[\w-]+\.[\w-]+\.[\w-]*|\$(?:argon2\w*|2[abxy])\$[\w$=,./+-]+""",
    re.IGNORECASE,
)


class SafeRecord(logging.Filter):
    """Escapes control characters and hides secrets in a record, before it is formatted.

    Otherwise, client input could forge log lines, and the log could contain secrets.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = safe_text(record.getMessage().strip()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            # An exception's message may imitate a log line, so indent all of its lines.
            lines = record.exc_text.split("\n")
            record.exc_text = "\n".join("  " + safe_text(line) for line in lines)
        return True


def hide_secrets(text: str) -> str:
    return SECRETS.sub(r"\1***", text)


def safe_text(text: str) -> str:
    text = hide_secrets(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def configure_logging() -> None:
    """Use one format for all log lines. Call it after the server has configured its logging."""
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
    """Add SafeRecord to Celery's handlers. Keep their formats, which contain the task's name."""
    for handler in logger.handlers:
        handler.addFilter(SafeRecord())
