"""What the data layer can refuse, named by situation; app.api.errors turns it into HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError


class CRUDError(Exception):
    """The parent of every refusal."""


class EmailTaken(CRUDError):
    """Another user has this e-mail."""


class LastSuperuser(CRUDError):
    """Without this user nobody could administrate the system."""


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
