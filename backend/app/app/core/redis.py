"""Redis beside Celery: clients that give up soon. redis-py itself retries ten times."""

from functools import cache

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.config import settings


@cache
def counters() -> Redis:
    """Return a client without retries, each of which could count again."""
    once = Retry(NoBackoff(), 0)
    return Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=5, retry=once)


@cache
def probe() -> Redis:
    """Return a client that keeps its connection, and connects again once when it is lost."""
    return Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 1),
    )


def broker_is_up() -> bool:
    try:
        return bool(probe().ping())
    except RedisError:
        return False
