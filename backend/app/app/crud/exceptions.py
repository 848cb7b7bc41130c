"""Errors of the data layer, named by situation; app.api.errors maps them to HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
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
def violation_as(error_class: type[CRUDError], constraint: str) -> Iterator[None]:
    """Raise this error where the database reports that the constraint was violated."""
    try:
        yield
    except IntegrityError as error:
        if (
            not isinstance(error.orig, psycopg2.Error)
            or error.orig.diag.constraint_name != constraint
        ):
            raise
        raise error_class from error
