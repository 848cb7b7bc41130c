"""Fail if Celery beat has not ticked for a minute. Succeed while Redis is unreachable."""

import sys

from app.core.redis import broker_is_up, quick_client

# Each tick sets this key, which expires after a minute.
if __name__ == "__main__" and broker_is_up() and not quick_client(retries=1).exists("celerybeat"):
    sys.exit("Celery beat has not ticked for a minute")
