"""The project's APIRouter: one thread per request, limited bodies, and documented errors."""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import reduce, wraps
from inspect import iscoroutinefunction
from operator import or_
from typing import Any, Literal, TypeVar, get_args, get_origin

import fastapi
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, create_model
from sqlalchemy.orm import Session
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.types import Message, Receive

from app.api.errors import ERRORS, error_code
from app.api.exceptions import ContentTooLarge, InternalError, InvalidGrant
from app.crud.base import CRUDOwned
from app.crud.exceptions import CommittedError
from app.schemas.error import Error, HTTPValidationError, OAuth2Error
from app.schemas.page import PageQuery

Function = TypeVar("Function", bound=Callable[..., Any])

# Far above the largest valid item: 10,000 characters of 12 bytes each, if escaped in JSON.
MAX_BODY_BYTES = 1024 * 1024


class TextConvertor(PathConvertor):
    """Matches the rest of a path, even line breaks, so that they cause a 422 and not a 404."""

    regex = r"[\s\S]*"


register_url_convertor("text", TextConvertor())


def _error_schema(error: type[Exception]) -> type[BaseModel]:
    """Return the schema of the response body of an error."""
    base = OAuth2Error if issubclass(error, InvalidGrant) else Error
    fields: dict[str, Any] = {"code": (Literal[error_code(error)], ...)}
    if field := ERRORS[error].field:
        fields["field"] = (Literal[field], ...)
    return create_model(error.__name__, __base__=base, **fields)


ERROR_SCHEMAS = {error: _error_schema(error) for error in ERRORS}

routed_endpoints: set[Callable[..., Any]] = set()
# The documented errors of each endpoint and dependency.
raised_by: dict[Callable[..., Any], tuple[type[Exception], ...]] = {}


def raises(*errors: type[Exception]) -> Callable[[Function], Function]:
    """Document the errors that an endpoint or a dependency can raise.

    An endpoint also documents the errors of its dependencies. Raises TypeError if placed above the
    route's decorator: that decorator creates the OpenAPI entry, so it must run after this one.
    """

    def decorate(function: Function) -> Function:
        if function in routed_endpoints:
            raise TypeError(f"{function}: @raises belongs below the route's decorator")
        raised_by[function] = errors
        return function

    return decorate


class Route(APIRoute):
    """Limits the request's body, and runs the endpoint and its commit in one thread.

    FastAPI itself makes three thread hops: to run the endpoint, to validate the response, and to
    close the session. Each hop costs CPU time. Hops can also cause a deadlock: requests that hold
    a connection wait for a thread, while requests in the threads wait for a connection.

    To accept larger bodies, set a limit for the route: `@router.post("/", max_body_size=...)`.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        max_body_size: int | None = None,
        responses: dict[int | str, dict[str, Any]] | None = None,
        **options: Any,
    ) -> None:
        # Do not use FastAPI's own max_body_size: its 413 is plain text. If the endpoint does not
        # read the body, FastAPI checks the size only after the endpoint has run.
        self.body_limit = MAX_BODY_BYTES if max_body_size is None else max_body_size
        routed_endpoints.add(endpoint)
        dependants = list(_dependants(get_dependant(path=path, call=endpoint)))
        if options.get("status_code") != 202:  # Otherwise a job reads the rows.
            _check_sort_keys(dependants, options.get("response_model"))
        responses = _error_responses(dependants) | (responses or {})
        if not iscoroutinefunction(endpoint):
            endpoint = _run_in_one_thread(endpoint)
        super().__init__(path, endpoint, responses=responses, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, limit = super().get_route_handler(), self.body_limit

        async def handle_limited(request: Request) -> Response:
            declared = request.headers.get("content-length")
            if declared is None or "transfer-encoding" in request.headers:
                request = Request(request.scope, _limit_receive(request.receive, limit))
            elif declared.isdecimal() and int(declared) > limit:
                raise ContentTooLarge
            return await handle(request)

        return handle_limited


# The rows of each resource, by the path of its routes, such as order-lines.
resources: dict[str, CRUDOwned[Any, Any, Any]] = {}


class APIRouter(fastapi.APIRouter):
    """A router that creates its routes with the class Route.

    With `rows`, the dashboard shows the resource.
    """

    def __init__(self, *, rows: CRUDOwned[Any, Any, Any] | None = None, **options: Any) -> None:
        super().__init__(route_class=Route, **options)
        if rows:
            resources[self.prefix.removeprefix("/")] = rows


def include_routers(
    app: fastapi.FastAPI, routers: Sequence[fastapi.APIRouter], prefix: str
) -> None:
    """Raises TypeError if two routers share a prefix, or a route is not a Route of this module."""
    for number, router in enumerate(routers):
        for other in routers[:number]:
            if router.prefix == other.prefix:
                raise TypeError(f"the routers of {other.tags} and {router.tags} share a prefix")
        if not all(isinstance(route, Route) for route in router.routes):
            raise TypeError(f"the router of {router.tags} is not an app.api.routing.APIRouter")
        app.include_router(router, prefix=prefix)


def _limit_receive(receive: Receive, limit: int) -> Receive:
    """Wrap a receive function so that it raises ContentTooLarge after too many bytes."""
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise ContentTooLarge
        return message

    return receive_limited


def _run_in_one_thread(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Return a coroutine function that runs the endpoint, and then commits, in one thread."""

    def run_and_commit(arguments: dict[str, Any]) -> Any:
        sessions = [value for value in arguments.values() if isinstance(value, Session)]
        try:
            result = endpoint(**arguments)
            for session in sessions:
                session.commit()  # Only closes a ReadSession.
        except CommittedError:
            for session in sessions:
                session.commit()
            raise
        except BaseException:
            for session in sessions:
                session.rollback()
            raise
        return result

    @wraps(endpoint)
    async def wrapper(**arguments: Any) -> Any:
        return await run_in_threadpool(run_and_commit, arguments)

    return wrapper


def _check_sort_keys(dependants: Sequence[Dependant], response_model: Any) -> None:
    """Raise TypeError if a PageQuery is used without a list, or its rows lack a field of it."""
    for each in dependants:
        for parameter in each.query_params:
            query = parameter.field_info.annotation
            if not (isinstance(query, type) and issubclass(query, PageQuery)):
                continue
            if get_origin(response_model) is not list:
                raise TypeError(f"{each.call}: has a PageQuery, so response_model must be a list")
            (row,) = get_args(response_model)
            keys = query.model_json_schema()["properties"]["sort"]["enum"]
            names = {key.removeprefix("-") for key in keys}
            names |= query.model_fields.keys() - PageQuery.model_fields.keys()
            if unknown := names - set(row.model_fields):
                raise TypeError(
                    f"{each.call}: sorts or filters by {unknown}, "
                    f"but {row.__name__} has no such field"
                )


def _error_responses(dependants: Sequence[Dependant]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries for the errors of an endpoint and its dependencies, by status."""
    functions = [each.call for each in dependants if each.call is not None]
    errors = [error for function in functions for error in raised_by.get(function, ())]
    by_status: dict[int, list[type[Exception]]] = {}
    for error in dict.fromkeys([*errors, ContentTooLarge, InternalError]):
        by_status.setdefault(ERRORS[error].status, []).append(error)
    entries: dict[int | str, dict[str, Any]] = {
        status: {
            "model": reduce(or_, [ERROR_SCHEMAS[error] for error in by_status[status]]),
            "description": " or ".join(map(error_code, by_status[status])),
        }
        for status in sorted(by_status)
    }
    if any(
        each.path_params
        or each.query_params
        or each.header_params
        or each.cookie_params
        or each.body_params
        for each in dependants
    ):
        entries[422] = {"model": HTTPValidationError, "description": "validation_error"}
    return entries


def _dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for dependency in dependant.dependencies:
        yield from _dependants(dependency)
