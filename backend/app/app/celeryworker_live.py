"""Fail when this container's worker doesn't answer; Redis being away is not its fault."""

import socket
import sys

from app.core.celery_app import celery_app
from app.core.redis import broker_is_up

if __name__ == "__main__" and broker_is_up():
    worker = f"celery@{socket.gethostname()}"
    if not celery_app.control.ping(destination=[worker], timeout=5):
        sys.exit(f"{worker} doesn't answer")
