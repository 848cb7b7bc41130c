"""Errors of the API, named after their cause. app.api.errors maps them to HTTP responses."""

from starlette.exceptions import HTTPException

from app.crud.exceptions import CommittedError


class NotAuthenticated(Exception):
    """The request has no Authorization header."""


class InactiveUser(Exception):
    """The token is valid, but its user is inactive."""


class SuperuserRequired(Exception):
    """The user is not a superuser."""


class ForeignOrigin(Exception):
    """A page of another origin sent the request."""


class PermissionDenied(Exception):
    """The row belongs to another user. `field` names the field of the request that refers to it."""

    def __init__(self, *, field: str | None = None) -> None:
        super().__init__()
        self.field = field


class NotFound(Exception):
    """The row does not exist. The argument becomes the detail of the response."""

    def __init__(self, detail: str = "", *, field: str | None = None) -> None:
        super().__init__(detail)
        self.field = field


class RowChanged(Exception):
    """The row was changed after the client read it."""


class IncorrectPassword(CommittedError):
    """`current_password` is missing or wrong."""


class InvalidLink(Exception):
    """The token of a mailed link is invalid, or no longer valid."""


class RegistrationClosed(Exception):
    """USERS_OPEN_REGISTRATION is off, or mail is not configured."""


class MailNotConfigured(Exception):
    """EMAILS_ENABLED is off."""


class ContentTooLarge(HTTPException):
    """The body exceeds the limit of the route."""

    def __init__(self) -> None:
        # An HTTPException: FastAPI replaces any other exception raised while it reads a body.
        super().__init__(413)


class UnsupportedMediaType(Exception):
    """The body of an import is not CSV."""


class InvalidGrant(CommittedError):
    """A rejected login. The response also has the fields of RFC 6749, section 5.2."""


class IncorrectCredentials(InvalidGrant):
    """The email is unknown or the password is wrong."""


class InactiveAccount(InvalidGrant):
    """The password is correct, but the user is inactive."""


class EmailNotVerified(InvalidGrant):
    """The password is correct, but the user has not confirmed the email."""


class ServerBusy(Exception):
    """All connections or hashing slots are in use, or another request holds a lock."""


# The code does not raise the classes below. app.api.errors uses them for database errors and bugs.


class Conflict(Exception):
    """A database constraint was violated."""


class DatabaseUnreachable(Exception):
    """The database is unreachable, or the connection broke during a query."""


class StatementTimeout(Exception):
    """A statement exceeded POSTGRES_STATEMENT_TIMEOUT_SECONDS."""


class InternalError(Exception):
    """A bug."""


DATABASE_ERRORS = (DatabaseUnreachable, StatementTimeout, ServerBusy)
