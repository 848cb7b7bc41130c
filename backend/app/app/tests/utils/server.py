import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from app.core.config import settings
from app.tests.utils.worker import BACKEND


@dataclass(frozen=True)
class Server:
    client: httpx2.Client
    output: Callable[[], str]
    root: str


@contextmanager
def running_server(app: str = "app.main:app", **environment: str) -> Iterator[Server]:
    """Run the backend in a separate process, with a changed environment."""
    with (
        tempfile.NamedTemporaryFile("r") as log,
        # Opened again: the server must not share the position at which `output` reads.
        Path(log.name).open("a") as server_log,
        # The server inherits this socket, so no other program can take the port meanwhile.
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        descriptor, port = listener.fileno(), listener.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", app, f"--fd={descriptor}"],
            cwd=BACKEND,
            env=os.environ | environment,
            pass_fds=[descriptor],
            stdout=server_log,
            stderr=server_log,
        )
        # If this copy stayed open, requests would wait forever after a crash of the server.
        listener.close()

        def output() -> str:
            log.seek(0)
            return log.read()

        root = f"http://127.0.0.1:{port}"
        try:
            with httpx2.Client(base_url=f"{root}{settings.API_V1_STR}") as client:
                try:
                    client.get("/utils/health/live", timeout=30)
                except httpx2.TransportError:
                    pytest.fail(output())
                yield Server(client, output, root)
        finally:
            process.terminate()
            process.wait(10)
