"""Fail if Celery beat has not ticked for a minute. Succeed while Redis is unreachable."""

import sys

from app.core.redis import TICK, broker_is_up, quick_client

if __name__ == "__main__" and broker_is_up() and not quick_client(retries=1).exists(TICK):
    sys.exit("Celery beat has not ticked for a minute")
