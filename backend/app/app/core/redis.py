"""Redis clients of the app itself. They fail fast, unlike redis-py's default of ten retries."""

from functools import cache

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.config import settings


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
