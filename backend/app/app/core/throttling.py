"""Limits how often something can be tried. The attempts are counted in Redis."""

import logging
import math
import time
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from limits import RateLimitItem, parse_many
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import RedisError

from app.core.config import settings
from app.core.redis import pause, quick_client

logger = logging.getLogger(__name__)


class TooManyAttempts(Exception):
    """A limit is reached. `retry_after` is the number of seconds until the next attempt."""

    def __init__(self, retry_after: float = 1) -> None:
        super().__init__()
        self.retry_after = max(1, math.ceil(retry_after))


class Throttle:
    """Limits such as "5 per minute; 20 per hour" for each key, such as an email.

    While Redis is unreachable, nothing is limited, and a warning is logged.
    """

    def __init__(self, name: str, limits: str) -> None:
        self.name, self.limits = name, parse_many(limits)

    def check(self, *key: str) -> None:
        """Raises TooManyAttempts if the next attempt is not allowed."""
        self._require(limiter().test, key)

    def count(self, *key: str) -> None:
        """Count an attempt. Raises TooManyAttempts if it is not allowed."""
        self._require(limiter().hit, key)

    def forget(self, *key: str) -> None:
        """Set the number of attempts back to 0."""

        def clear(limit: RateLimitItem, *identifiers: str) -> bool:
            limiter().clear(limit, *identifiers)
            return True

        self._require(clear, key)

    def _require(self, is_allowed: Callable[..., bool], key: tuple[str, ...]) -> None:
        if pause.is_on():
            return
        # A hash, because keys contain emails and can have any length.
        digest = sha256("\0".join(key).encode()).hexdigest()
        try:
            for limit in self.limits:
                if not is_allowed(limit, self.name, digest):
                    reset_time = limiter().get_window_stats(limit, self.name, digest).reset_time
                    raise TooManyAttempts(reset_time - time.time())
        except RedisError as error:
            pause.begin()
            logger.warning("Attempts are not limited, because Redis is unreachable: %s", error)


def network(address: str) -> str:
    """Return the network to count attempts for: a /64 of IPv6 usually belongs to one customer."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)


@cache
def limiter() -> MovingWindowRateLimiter:
    # No retries, because they could count twice.
    pool = quick_client(retries=0).connection_pool
    return MovingWindowRateLimiter(RedisStorage(settings.CELERY_BROKER_URL, pool))


# A user who fails on purpose with somebody else's email locks out only their own network.
failed_passwords = Throttle("failed-passwords", settings.LIMIT_FAILED_PASSWORDS)
failed_passwords_of_network = Throttle(
    "failed-passwords-of-network", settings.LIMIT_FAILED_PASSWORDS_OF_NETWORK
)
mails = Throttle("mails", settings.LIMIT_MAILS)
mails_of_network = Throttle("mails-of-network", settings.LIMIT_MAILS_OF_NETWORK)
