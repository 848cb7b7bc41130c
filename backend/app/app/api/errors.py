"""Maps errors to HTTP responses without internal details: {"detail": text, "code": name}."""

import http.client
import logging
import re
from dataclasses import dataclass

import fastapi
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg2.errors import (
    LockNotAvailable,
    NotNullViolation,
    ProgramLimitExceeded,
    QueryCanceled,
)
from psycopg2.extensions import TransactionRollbackError
from pydantic.alias_generators import to_snake
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from app.api.exceptions import (
    Conflict,
    ContentTooLarge,
    DatabaseUnreachable,
    EmailNotVerified,
    ForeignOrigin,
    InactiveAccount,
    InactiveUser,
    IncorrectCredentials,
    IncorrectPassword,
    InternalError,
    InvalidGrant,
    InvalidLink,
    MailNotConfigured,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    RegistrationClosed,
    RowChanged,
    ServerBusy,
    StatementTimeout,
    SuperuserRequired,
    UnsupportedMediaType,
)
from app.core.celery_app import QueueUnreachable
from app.core.files import FileStoreUnavailable
from app.core.security import InvalidToken
from app.core.throttling import TooManyAttempts
from app.crud.exceptions import (
    EmailTaken,
    JobFinished,
    LastSuperuser,
    OwnerGone,
    StillReferenced,
    ValueTaken,
    WeakPassword,
)
from app.schemas.error import HTTPValidationError, ValidationError, name_blank

logger = logging.getLogger(__name__)


BEARER = {"WWW-Authenticate": "Bearer"}
RETRY_LATER = {"Retry-After": "5"}


@dataclass(frozen=True)
class ErrorResponse:
    status: int
    detail: str
    headers: dict[str, str] | None = None
    # The request field that caused the error. An exception with a `field` overrides it.
    field: str | None = None


ERRORS: dict[type[Exception], ErrorResponse] = {
    IncorrectCredentials: ErrorResponse(400, "Incorrect email or password"),
    InactiveAccount: ErrorResponse(400, "Inactive user"),
    EmailNotVerified: ErrorResponse(400, "Email not verified"),
    IncorrectPassword: ErrorResponse(400, "Incorrect password", field="current_password"),
    InvalidLink: ErrorResponse(400, "Invalid token"),
    NotAuthenticated: ErrorResponse(401, "Not authenticated", BEARER),
    InvalidToken: ErrorResponse(401, "Could not validate credentials", BEARER),
    InactiveUser: ErrorResponse(403, "Inactive user"),
    SuperuserRequired: ErrorResponse(403, "The user doesn't have enough privileges"),
    PermissionDenied: ErrorResponse(403, "Not enough permissions"),
    ForeignOrigin: ErrorResponse(403, "This origin is not in BACKEND_CORS_ORIGINS"),
    RegistrationClosed: ErrorResponse(403, "Open user registration is forbidden on this server"),
    NotFound: ErrorResponse(404, "Not found"),
    EmailTaken: ErrorResponse(
        409, "The user with this username already exists in the system", field="email"
    ),
    ValueTaken: ErrorResponse(409, "This value is already in use"),
    StillReferenced: ErrorResponse(409, "Other data requires this. Delete that data first."),
    JobFinished: ErrorResponse(409, "The job has already finished"),
    LastSuperuser: ErrorResponse(409, "The last superuser can't be removed"),
    Conflict: ErrorResponse(409, "Conflicts with existing data"),
    RowChanged: ErrorResponse(412, "The row was changed meanwhile"),
    ContentTooLarge: ErrorResponse(413, "Content Too Large"),
    UnsupportedMediaType: ErrorResponse(415, "The content type must be text/csv"),
    TooManyAttempts: ErrorResponse(429, "Too many attempts, try again later"),
    InternalError: ErrorResponse(500, "Internal server error"),
    MailNotConfigured: ErrorResponse(
        503, "Mail is not configured: set SMTP_HOST and EMAILS_FROM_EMAIL", RETRY_LATER
    ),
    FileStoreUnavailable: ErrorResponse(
        503, "The file store is unavailable, try again later", RETRY_LATER
    ),
    QueueUnreachable: ErrorResponse(
        503, "The task queue can't be reached, try again later", RETRY_LATER
    ),
    DatabaseUnreachable: ErrorResponse(
        503, "The database can't be reached, try again later", RETRY_LATER
    ),
    StatementTimeout: ErrorResponse(503, "The request took too long, try again later", RETRY_LATER),
    ServerBusy: ErrorResponse(503, "The server is busy, try again later", RETRY_LATER),
}


def error_code(error_class: type[Exception]) -> str:
    """Return the class name in snake case: email_taken for EmailTaken."""
    return to_snake(error_class.__name__)


def error_response(
    error_class: type[Exception], detail: str = "", field: str | None = None
) -> Response:
    response = ERRORS[error_class]
    body = {"detail": detail or response.detail, "code": error_code(error_class)}
    if field := field or response.field:
        body["field"] = field
    if issubclass(error_class, InvalidGrant):
        body |= {"error": "invalid_grant", "error_description": body["detail"]}
    return JSONResponse(body, response.status, response.headers)


def add_error_handlers(app: FastAPI) -> None:
    for error_class in ERRORS:
        app.add_exception_handler(error_class, _respond)
    for error_class in (PoolTimeout, DBAPIError):
        app.add_exception_handler(error_class, _respond_to_database_error)
    app.add_exception_handler(OwnerGone, _respond_to_missing_owner)
    app.add_exception_handler(RequestValidationError, _respond_to_invalid_request)
    app.add_exception_handler(WeakPassword, _respond_to_weak_password)
    app.add_exception_handler(HTTPException, _respond_to_http_exception)


async def _respond(request: Request, error: Exception) -> Response:
    error_class = next(each for each in type(error).__mro__ if each in ERRORS)
    if ERRORS[error_class].status == 503:
        _log(request, logging.ERROR, error.__cause__ or error)
    detail = str(error) if isinstance(error, NotFound) else ""
    response = error_response(error_class, detail, getattr(error, "field", None))
    if isinstance(error, TooManyAttempts):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


async def _respond_to_database_error(request: Request, error: Exception) -> Response:
    error_class = _client_error(error)
    if error_class is None:
        raise error
    _log(request, logging.WARNING if error_class is Conflict else logging.ERROR, error)
    return error_response(error_class)


def _client_error(error: Exception) -> type[Exception] | None:
    """Return the error to report to the client for a database error, or None for a bug."""
    match error:
        case PoolTimeout():
            return ServerBusy
        case (
            IntegrityError(orig=NotNullViolation()) | OperationalError(orig=ProgramLimitExceeded())
        ):
            return None
        case IntegrityError():
            return Conflict
        case OperationalError(orig=QueryCanceled()):
            return StatementTimeout
        # TransactionRollbackError covers deadlocks and serialization failures.
        case OperationalError(orig=TransactionRollbackError() | LockNotAvailable()):
            return ServerBusy
        # psycopg2 raises different errors when a connection breaks during a query.
        case OperationalError() | DBAPIError(connection_invalidated=True):
            return DatabaseUnreachable
    return None


def _log(request: Request, level: int, error: BaseException) -> None:
    logger.log(level, "%s %s: %s", request.method, request.url.path, str(error) or repr(error))


async def _respond_to_missing_owner(request: Request, error: Exception) -> Response:
    """Respond with a 401: the missing owner is the caller, who was deleted meanwhile."""
    return error_response(InvalidToken)


async def _respond_to_invalid_request(request: Request, error: Exception) -> Response:
    """Leave the input out: it may contain a password, or text that can't be encoded."""
    assert isinstance(error, RequestValidationError)
    problems = map(name_blank, error.errors())
    return _invalid_response([ValidationError.model_validate(each) for each in problems])


async def _respond_to_weak_password(request: Request, error: Exception) -> Response:
    assert isinstance(error, WeakPassword)
    loc: list[str | int] = ["body", error.field]
    return _invalid_response([ValidationError(type=error.weakness, loc=loc, msg=str(error))])


async def _respond_to_http_exception(request: Request, error: Exception) -> Response:
    """Respond to exceptions of FastAPI and Starlette, such as a 404 for an unknown path."""
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and not isinstance(error, fastapi.HTTPException):  # noqa: TID251
        # Starlette could not parse the body. In this API every invalid body gives a 422.
        problem = ValidationError(type="body_invalid", loc=["body"], msg=error.detail)
        return _invalid_response([problem])
    phrase = http.client.responses.get(error.status_code, "HTTP error")
    body = {"detail": error.detail, "code": re.sub(r"\W+", "_", phrase.lower())}
    return JSONResponse(body, error.status_code, error.headers)


def _invalid_response(problems: list[ValidationError]) -> Response:
    body = HTTPValidationError(detail=problems, code="validation_error")
    return JSONResponse(body.model_dump(exclude_defaults=True), 422)


async def internal_error_response(request: Request, error: Exception) -> Response:
    return error_response(InternalError)
