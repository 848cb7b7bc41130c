"""Fail if this container's worker does not respond. Succeed while Redis is unreachable."""

import socket
import sys

from app.core.celery_app import celery_app
from app.core.redis import broker_is_up

if __name__ == "__main__" and broker_is_up():
    worker = f"celery@{socket.gethostname()}"
    if not celery_app.control.ping(destination=[worker], timeout=5):
        sys.exit(f"{worker} doesn't respond")
