"""Errors of the data layer, named by situation; app.api.errors maps them to HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from app.core.passwords import MESSAGES, Weakness


class CRUDError(Exception):
    """The parent of every error of the data layer."""


class EmailTaken(CRUDError):
    """Another user has this e-mail."""


class LastSuperuser(CRUDError):
    """Without this user nobody could administrate the system."""


class WeakPassword(CRUDError):
    """The new password can be guessed."""

    def __init__(self, weakness: Weakness) -> None:
        super().__init__(MESSAGES[weakness])
        self.weakness = weakness
        # The field of the request that has the password.
        self.field = "password"


class OwnerGone(CRUDError):
    """The user who owns the new row was deleted meanwhile."""


@contextmanager
def violation_as(refusal: type[CRUDError], constraint: str) -> Iterator[None]:
    """Raise the refusal where the database reports that this constraint was violated."""
    try:
        yield
    except IntegrityError as error:
        if constraint not in str(error.orig):
            raise
        raise refusal from error
