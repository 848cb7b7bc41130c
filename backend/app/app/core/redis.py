"""Redis clients of the app itself. They fail fast, unlike redis-py's default of ten retries."""

import time
from functools import cache

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.config import settings

# After an error, requests do not wait for Redis for so many seconds.
PAUSE_SECONDS = 5
# Each tick of Celery beat sets this key, which expires after a minute.
TICK, TICK_SECONDS = "celerybeat", 60


class Pause:
    """Lets only one request in PAUSE_SECONDS wait while Redis is unreachable."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self) -> None:
        self._until = time.monotonic() + PAUSE_SECONDS

    def is_on(self) -> bool:
        return time.monotonic() < self._until


pause = Pause()


@cache
def quick_client(retries: int) -> Redis:
    """Return a client that keeps its connections open. Each try takes at most half a second."""
    return Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), retries),
    )


def broker_is_up() -> bool:
    try:
        # Once again, because the kept connection may be lost.
        return bool(quick_client(retries=1).ping())
    except RedisError:
        return False


def beat_has_ticked() -> bool | None:
    """Return whether Celery beat has ticked in the last minute, or None if Redis is unreachable.

    It takes at most half a second.
    """
    if pause.is_on():
        return None
    try:
        return bool(quick_client(retries=0).exists(TICK))
    except RedisError:
        pause.begin()
        return None
