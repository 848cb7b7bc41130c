"""Starts Flower with a checked login: python -m app.flower_start [FLOWER'S OPTIONS]."""

import os
import sys


def login_problem(login: str) -> str:
    """What Flower cannot represent in a login, or an empty string."""
    user, _, password = login.partition(":")
    if not user.strip() or not password:
        return "must be user:password"
    # Flower splits the variable at commas: a part of the password would be a login.
    if "," in login:
        return "must not contain a comma"
    # Browsers disagree on how to encode other characters.
    if not (login.isascii() and login.isprintable()):
        return "must contain printable ASCII characters only"
    return ""


def main() -> None:
    if problem := login_problem(os.environ.get("FLOWER_BASIC_AUTH", "")):
        sys.exit(f"Can't start: FLOWER_BASIC_AUTH {problem}. Set it in .env.")

    # After the check, because these imports take a second.
    from flower.views import BaseHandler  # type: ignore[import-untyped]
    from tornado.web import HTTPError, RequestHandler

    import app.worker  # noqa: F401  # its tasks
    from app.core.celery_app import celery_app

    get_current_user = BaseHandler.get_current_user

    def reject_what_cannot_be_compared(handler: RequestHandler) -> object:
        try:
            return get_current_user(handler)
        except TypeError as error:  # Flower compares text, and hmac only takes ASCII text.
            raise HTTPError(401) from error

    BaseHandler.get_current_user = reject_what_cannot_be_compared
    celery_app.start(["flower", *sys.argv[1:]])


if __name__ == "__main__":
    main()
