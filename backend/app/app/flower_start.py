"""Checks Flower's login, then starts Flower: python -m app.flower_start [FLOWER'S OPTIONS]."""

import logging
import os
import sys

from app.core.passwords import DEFAULT_SECRET


def login_problem(login: str) -> str:
    """Return the problem with the login, or an empty string."""
    user, _, password = login.partition(":")
    if not user.strip() or not password:
        return "must be user:password"
    # Flower splits the variable at commas, so the text after a comma would become another login.
    if "," in login:
        return "must not contain a comma"
    # Browsers disagree on how to encode other characters.
    if not (login.isascii() and login.isprintable()):
        return "must contain printable ASCII characters only"
    if DEFAULT_SECRET in login and os.environ.get("ENVIRONMENT") != "development":
        return f"is still {DEFAULT_SECRET!r}, which is for development only"
    return ""


def main() -> None:
    if problem := login_problem(os.environ.get("FLOWER_BASIC_AUTH", "")):
        sys.exit(f"Can't start: FLOWER_BASIC_AUTH {problem}. Set it in .env.")

    # Imported after the check, because these imports take a second.
    from flower.views import BaseHandler  # type: ignore[import-untyped]
    from flower.views.monitor import Healthcheck  # type: ignore[import-untyped]
    from tornado.web import HTTPError, RequestHandler

    import app.worker  # noqa: F401  # registers the tasks
    from app.core.celery_app import celery_app
    from app.core.logging import SafeRecord

    get_current_user = BaseHandler.get_current_user

    def get_user_or_401(handler: RequestHandler) -> object:
        try:
            return get_current_user(handler)
        except TypeError as error:  # Flower's comparison fails for text that is not ASCII.
            raise HTTPError(401) from error

    def require_login(handler: RequestHandler) -> None:
        """Protect every view except the health check. Flower itself shows /metrics to everybody."""
        if not isinstance(handler, Healthcheck):
            handler.current_user  # noqa: B018  # Reading this property checks the login.

    for name in ("access", "application", "general"):
        logging.getLogger(f"tornado.{name}").addFilter(SafeRecord())
    BaseHandler.get_current_user = get_user_or_401
    BaseHandler.prepare = require_login
    celery_app.start(["flower", *sys.argv[1:]])


if __name__ == "__main__":
    main()
