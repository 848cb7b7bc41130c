"""Maps errors to HTTP responses: always {"detail": text}, never anything internal."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg2.errors import QueryCanceled
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException as StarletteHTTPException

from app import schemas
from app.core.celery_app import BrokerUnavailable
from app.core.security import InvalidToken
from app.crud.exceptions import EmailTaken, LastSuperuser, OwnerGone, WeakPassword

logger = logging.getLogger(__name__)

Handler = Callable[[Request, Exception], Awaitable[Response]]

RETRY_AFTER_SECONDS = "5"


class NotAuthenticated(HTTPException):
    def __init__(self, detail: str = "Could not validate credentials") -> None:
        super().__init__(401, detail, headers={"WWW-Authenticate": "Bearer"})


class InvalidGrant(HTTPException):
    """A rejected login, with the fields of RFC 6749, 5.2 besides `detail`."""

    def __init__(self, detail: str) -> None:
        super().__init__(400, detail, headers={"Cache-Control": "no-store"})


class ContentTooLarge(HTTPException):
    def __init__(self, detail: str = "Content Too Large") -> None:
        super().__init__(413, detail)


class ServiceUnavailable(HTTPException):
    def __init__(self, detail: str) -> None:
        super().__init__(503, detail, headers={"Retry-After": RETRY_AFTER_SECONDS})


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of failures with these statuses."""
    return {
        status: {"model": schemas.Error, "description": HTTPStatus(status).phrase}
        for status in statuses
    }


DATABASE_UNREACHABLE = ServiceUnavailable("The database can't be reached, try again later")
STATEMENT_CANCELLED = ServiceUnavailable("The request took too long, try again later")

# Maps errors of the layers below to HTTP responses.
ERROR_RESPONSES: dict[type[Exception], HTTPException] = {
    EmailTaken: HTTPException(409, "The user with this username already exists in the system"),
    LastSuperuser: HTTPException(409, "The last superuser can't be removed"),
    OwnerGone: NotAuthenticated(),
    InvalidToken: NotAuthenticated(),
    BrokerUnavailable: ServiceUnavailable("The task queue can't be reached, try again later"),
    PoolTimeout: ServiceUnavailable("The server is busy, try again later"),
    IntegrityError: HTTPException(409, "The change contradicts what is stored already"),
}


def add_error_handlers(app: FastAPI) -> None:
    for error_class, response in ERROR_RESPONSES.items():
        app.add_exception_handler(error_class, _error_handler(response))
    app.add_exception_handler(OperationalError, _operational_error_response)
    app.add_exception_handler(DBAPIError, _answer_lost_connection)
    app.add_exception_handler(RequestValidationError, _answer_invalid_request)
    app.add_exception_handler(WeakPassword, _weak_password_response)
    app.add_exception_handler(InvalidGrant, _invalid_grant_response)
    app.add_exception_handler(StarletteHTTPException, _answer_unreadable_body)


def _error_handler(response: HTTPException) -> Handler:
    async def handler(request: Request, error: Exception) -> Response:
        if response.status_code == 503:
            logger.error("%s %s: %s", request.method, request.url.path, error)
        return await http_exception_handler(request, response)

    return handler


async def _operational_error_response(request: Request, error: Exception) -> Response:
    assert isinstance(error, OperationalError)
    is_cancelled = isinstance(error.orig, QueryCanceled)
    response = STATEMENT_CANCELLED if is_cancelled else DATABASE_UNREACHABLE
    return await _error_handler(response)(request, error)


async def _answer_lost_connection(request: Request, error: Exception) -> Response:
    # psycopg2 reports a connection that breaks under a query in several classes.
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return await _error_handler(DATABASE_UNREACHABLE)(request, error)
    raise error


async def _answer_invalid_request(request: Request, error: Exception) -> Response:
    """Leave out what was sent: it may be a password, or text that can't be encoded."""
    assert isinstance(error, RequestValidationError)
    detail = [{key: problem[key] for key in ("type", "loc", "msg")} for problem in error.errors()]
    return JSONResponse({"detail": detail}, 422)


async def _weak_password_response(request: Request, error: Exception) -> Response:
    assert isinstance(error, WeakPassword)
    problem = {"type": error.weakness, "loc": ["body", error.field], "msg": str(error)}
    return JSONResponse({"detail": [problem]}, 422)


async def _invalid_grant_response(request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidGrant)
    body = schemas.OAuth2Error(detail=error.detail, error_description=error.detail)
    return JSONResponse(body.model_dump(), error.status_code, error.headers)


async def _answer_unreadable_body(request: Request, error: Exception) -> Response:
    """Starlette says 400 to a body that it can't parse; here every invalid body is a 422."""
    assert isinstance(error, StarletteHTTPException)
    if error.status_code == 400 and not isinstance(error, HTTPException):
        detail = [{"type": "body_invalid", "loc": ["body"], "msg": error.detail}]
        return JSONResponse({"detail": detail}, 422)
    return await http_exception_handler(request, error)


async def internal_error_response(request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": "Internal server error"}, 500)
