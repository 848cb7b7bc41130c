from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.types import Message

from app.api.errors import ContentTooLarge


class TextConvertor(PathConvertor):
    """The rest of the path, line breaks included: they are for the parameter's type to reject."""

    regex = r"[\s\S]*"


register_url_convertor("text", TextConvertor())

# The largest valid body of most routes is an item's: 10,000 characters, 120 kB when escaped.
MAX_BODY_BYTES = 1024 * 1024


class OneThreadRoute(APIRoute):
    """A route that limits the request's body, and runs the endpoint and its commit in one thread.

    FastAPI alone hops to a thread three times: for the endpoint, to validate the response,
    and to close the session. Each hop costs CPU; and a request that holds a connection while
    it waits for a thread can block those that hold the threads and wait for a connection.

    A route that takes larger bodies says so: `@router.post("/import", max_body_size=...)`.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        max_body_size: int | None = None,
        **options: Any,
    ) -> None:
        # Not passed on: FastAPI responds in plain text, and only after an endpoint without a body.
        self.body_limit = MAX_BODY_BYTES if max_body_size is None else max_body_size
        if not iscoroutinefunction(endpoint):
            endpoint = _in_one_thread(endpoint)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, limit = super().get_route_handler(), self.body_limit

        async def handle_limited(request: Request) -> Response:
            declared = request.headers.get("content-length")
            if declared is None or "transfer-encoding" in request.headers:
                request = Request(request.scope, _limited(request.receive, limit))
            elif declared.isdecimal() and int(declared) > limit:
                raise ContentTooLarge
            return await handle(request)

        return handle_limited


def _limited(receive: Callable[[], Any], limit: int) -> Callable[[], Any]:
    """Return a receive function for a body of undeclared length. It raises ContentTooLarge."""
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message: Message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise ContentTooLarge
        return message

    return receive_limited


def _in_one_thread(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    def work(arguments: dict[str, Any]) -> Any:
        sessions = [value for value in arguments.values() if isinstance(value, Session)]
        try:
            result = endpoint(**arguments)
            for session in sessions:
                session.commit()
        except BaseException:
            for session in sessions:
                session.rollback()
            raise
        return result

    @wraps(endpoint)
    async def wrapper(**arguments: Any) -> Any:
        return await run_in_threadpool(work, arguments)

    return wrapper
