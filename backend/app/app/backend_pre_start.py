"""Wait for the services that a process needs to start."""

import logging
import sys
from collections.abc import Callable

from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError
from tenacity import (
    Retrying,
    before_sleep_log,
    retry_if_exception_type,
    stop_after_delay,
    wait_fixed,
)

from app.core.config import settings
from app.core.passwords import DEFAULT_SECRET
from app.core.redis import broker_is_up
from app.db.session import engine

logger = logging.getLogger(__name__)

WAIT_SECONDS = 300
DATABASE = make_url(settings.SQLALCHEMY_DATABASE_URI)
CREATE_ROLE = (
    "docker-compose exec db psql -U postgres -d postgres"
    " -f /docker-entrypoint-initdb.d/create-role.sql"
)


class NotReady(Exception):
    """A service does not respond yet."""


def check_database() -> None:
    try:
        engine.connect().close()
    except OperationalError as error:
        cause = str(error.orig).strip().splitlines()[-1]
        # Waiting fixes neither a wrong password nor a missing database.
        if "authentication failed" in cause:
            sys.exit(
                f"The database rejects the user {DATABASE.username!r}: {cause}\n"
                "The role gets POSTGRES_PASSWORD when the database is created. To create the role "
                f"in an older volume, or to change its password, run: {CREATE_ROLE}"
            )
        if "does not exist" in cause:
            sys.exit(f"{cause}\nCorrect POSTGRES_DB, or create the database with: {CREATE_ROLE}")
        place = f"{DATABASE.host}:{DATABASE.port}"
        raise NotReady(f"can't connect to the database at {place}: {cause}") from error


def check_broker() -> None:
    if not broker_is_up():
        raise NotReady("Redis does not respond; see REDIS_URL")


def wait_for(*checks: Callable[[], None]) -> None:
    """Repeat each check every second until it passes. Exit after WAIT_SECONDS."""
    for check in checks:
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type(NotReady),
                wait=wait_fixed(1),
                stop=stop_after_delay(WAIT_SECONDS),
                before_sleep=before_sleep_log(logger, logging.INFO),
                reraise=True,
            ):
                with attempt:
                    check()
        except NotReady as error:
            sys.exit(f"Gave up after {WAIT_SECONDS} seconds: {error}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    if names := settings.default_secrets():
        logger.warning("%s: still %r, which is for development only", names, DEFAULT_SECRET)
    for warning in settings.warnings():
        logger.warning(warning)
    wait_for(check_database)
