from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import current_thread
from typing import ParamSpec, TypeVar

from app.api.deps import hashing_slots

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class CheckingThread(ThreadPoolExecutor):
    """Hashes passwords like the backend's thread, but fails if an endpoint has no HashingSlot."""

    def submit(
        self,
        fn: Callable[Arguments, Result],
        /,
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Future[Result]:
        if current_thread().name == "AnyIO worker thread":  # It runs endpoints.
            assert hashing_slots.borrowed_tokens, "declare a parameter of type HashingSlot"
        return super().submit(fn, *args, **kwargs)
