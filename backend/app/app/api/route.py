from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session


class OneThreadRoute(APIRoute):
    """A route that runs its endpoint, and the commit of the endpoint's session, in one thread.

    FastAPI alone goes to a thread three times: for the endpoint, to check what it returned,
    and to leave its session. Each costs CPU; and a request that holds a connection while it
    waits for a thread can block those that hold the threads and wait for a connection.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if not iscoroutinefunction(endpoint):
            endpoint = _in_one_thread(endpoint)
        super().__init__(path, endpoint, **options)


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
