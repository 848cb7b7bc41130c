"""Errors of the data layer, named after their cause. app.api.errors maps them to responses."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy.exc import IntegrityError

from app.core.passwords import MESSAGES, Weakness


class CRUDError(Exception):
    """The base class of all errors of the data layer."""


class CommittedError(Exception):
    """An error after which the transaction is committed, for example with an audit row."""


class ValueTaken(CRUDError):
    """Another row has this value in a unique column."""

    def __init__(self, field: str | None = None) -> None:
        super().__init__()
        self.field = field


class StillReferenced(CRUDError):
    """Another row requires the row that was to be removed."""


class EmailTaken(CRUDError):
    """Another user has this email."""


class LastSuperuser(CRUDError):
    """No other superuser who can log in would remain."""


class WeakPassword(CRUDError):
    """The new password is easy to guess."""

    def __init__(self, weakness: Weakness) -> None:
        super().__init__(MESSAGES[weakness])
        self.weakness = weakness
        # The request field that contains the password.
        self.field = "password"


class JobFinished(CRUDError):
    """The job to cancel has finished."""


class OwnerGone(CRUDError):
    """The owner of the new row was deleted meanwhile."""


@contextmanager
def raise_on_violation(error_class: type[CRUDError], constraint: str) -> Iterator[None]:
    """Raise error_class if the database reports that the constraint was violated."""
    try:
        yield
    except IntegrityError as error:
        if (
            not isinstance(error.orig, psycopg2.Error)
            or error.orig.diag.constraint_name != constraint
        ):
            raise
        raise error_class from error
