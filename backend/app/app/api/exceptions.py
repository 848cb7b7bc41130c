"""Errors of the API, named by situation; app.api.errors maps them to HTTP."""

from starlette.exceptions import HTTPException


class NotAuthenticated(Exception):
    """The request has no Authorization header."""


class InactiveUser(Exception):
    """The token is valid, and its user was deactivated."""


class SuperuserRequired(Exception):
    """The user is an ordinary one."""


class PermissionDenied(Exception):
    """The row belongs to another user."""


class NotFound(Exception):
    """There is no such row. The argument is the response's text."""


class IncorrectPassword(Exception):
    """`current_password` is missing or wrong."""


class InvalidLink(Exception):
    """The token of a mailed link is not valid, or no longer."""


class RegistrationClosed(Exception):
    """USERS_OPEN_REGISTRATION is off."""


class MailNotConfigured(Exception):
    """EMAILS_ENABLED is off."""


class ContentTooLarge(HTTPException):
    """The body exceeds the limit of the route."""

    def __init__(self) -> None:
        # While FastAPI reads a body, it passes on HTTPExceptions only.
        super().__init__(413)


class InvalidGrant(Exception):
    """A rejected login. The response has the fields of RFC 6749, 5.2, too."""


class IncorrectCredentials(InvalidGrant):
    """The email is unknown or the password is wrong."""


class InactiveAccount(InvalidGrant):
    """The password is right, and the user was deactivated."""


# The rest is not raised: it names what an error of a library is to a client.


class Conflict(Exception):
    """A constraint of the database was violated."""


class DatabaseUnreachable(Exception):
    """There is no connection, or it broke under a query."""


class StatementTimeout(Exception):
    """A statement exceeded POSTGRES_STATEMENT_TIMEOUT_SECONDS."""


class ServerBusy(Exception):
    """All connections are in use, or another request holds a lock."""


class InternalError(Exception):
    """A bug."""


DATABASE_ERRORS = (DatabaseUnreachable, StatementTimeout, ServerBusy)
