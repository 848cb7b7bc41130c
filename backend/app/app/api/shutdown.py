"""Calls a function as soon as the server receives SIGTERM or SIGINT."""

import asyncio
import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

Handler = Callable[[int, FrameType | None], object]


def call_on_shutdown(function: Callable[[], None]) -> None:
    """Call it in the event loop. Use this at the start of the lifespan.

    The end of the lifespan is too late for responses without end: uvicorn first waits for all
    responses. Before the lifespan it has installed its signal handlers, which are wrapped here.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # The thread of a TestClient, which receives no signals.
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if callable(handler):
            signal.signal(number, partial(_handle, loop, function, handler))


def _handle(
    loop: asyncio.AbstractEventLoop,
    function: Callable[[], None],
    handler: Handler,
    number: int,
    frame: FrameType | None,
) -> None:
    loop.call_soon_threadsafe(function)
    handler(number, frame)
