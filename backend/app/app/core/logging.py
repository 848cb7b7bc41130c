"""The format of log lines: each line of a request carries the request's id."""

import logging

from asgi_correlation_id import CorrelationIdFilter

LINE = "%(asctime)s %(levelname)s [%(correlation_id)s] %(name)s: %(message)s"
# The server has given these handlers already, for the files that its settings name.
SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access")


def configure_logging() -> None:
    """Give all log lines of this process one format. Call it after the server's own set-up."""
    logging.basicConfig()
    logging.getLogger("app").setLevel(logging.INFO)
    for logger in map(logging.getLogger, (None, *SERVER_LOGGERS)):
        for handler in logger.handlers:
            handler.addFilter(CorrelationIdFilter(default_value="-"))
            handler.setFormatter(logging.Formatter(LINE))
