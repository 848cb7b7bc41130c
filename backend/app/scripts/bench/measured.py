"""Wraps the ASGI application named in BENCH_APP, and counts queries, thread hops and requests.

GET /bench returns the totals since the start of the process.
"""

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio.to_thread
import psycopg2
import psycopg2.extensions
from starlette.types import Receive, Scope, Send
from uvicorn.importer import import_from_string

totals = Counter(requests=0, active=0, queries=0, hops=0)


class CountingCursor(psycopg2.extensions.cursor):
    def execute(self, query: Any, parameters: Any = None) -> None:
        totals["queries"] += 1
        super().execute(query, parameters)


def counting_connect(connect: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return connect(*args, **kwargs, cursor_factory=CountingCursor)

    return wrapper


def counting_run_sync(run_sync: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        totals["hops"] += 1
        return run_sync(*args, **kwargs)

    return wrapper


# All callers look these functions up in their modules, so the replacements count every call.
for module, name, counting in (
    (psycopg2, "connect", counting_connect),
    (anyio.to_thread, "run_sync", counting_run_sync),
):
    setattr(module, name, counting(getattr(module, name)))

application = import_from_string(os.environ["BENCH_APP"])


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http" and scope["path"] == "/bench":
        await send_totals(send)
        return
    if scope["type"] == "http":
        totals["requests"] += 1
    totals["active"] += 1
    try:
        await application(scope, receive, send)
    finally:
        totals["active"] -= 1


async def send_totals(send: Send) -> None:
    status = dict(re.findall(r"(\w+):\s+(\d+) kB", Path("/proc/self/status").read_text()))
    body = json.dumps(
        {
            **totals,
            "cpu_seconds": time.process_time(),
            "memory_mib": int(status["VmRSS"]) / 1024,
            "peak_mib": int(status["VmHWM"]) / 1024,
        }
    )
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
