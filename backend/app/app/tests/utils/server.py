import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from app.core.config import settings
from app.tests.utils.environment import PROCESS, free_port
from app.tests.utils.worker import BACKEND


@dataclass(frozen=True)
class Server:
    client: httpx2.Client
    output: Callable[[], str]
    root: str


@contextmanager
def running_server(app: str = "app.main:app", **environment: str) -> Iterator[Server]:
    """Run the backend in a separate process, with another environment than the tests'."""
    port = free_port(21_000 + 1000 * PROCESS)
    with (
        tempfile.TemporaryFile("w+") as log,
        httpx2.Client(base_url=f"http://127.0.0.1:{port}{settings.API_V1_STR}") as client,
    ):
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", app, f"--port={port}"],
            cwd=BACKEND,
            env=os.environ | environment,
            stdout=log,
            stderr=log,
        )

        def output() -> str:
            log.seek(0)
            return log.read()

        try:
            deadline = time.monotonic() + 30
            while True:
                try:
                    client.get("/utils/health/live")
                    break
                except httpx2.ConnectError:
                    assert process.poll() is None, output()
                    assert time.monotonic() < deadline, output()
                    time.sleep(0.1)
            yield Server(client, output, f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait(10)
