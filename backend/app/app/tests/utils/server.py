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

# As in start.sh.
WORKER_CLASS = "uvicorn_worker.UvicornWorker"


@dataclass(frozen=True)
class Server:
    client: httpx2.Client
    output: Callable[[], str]
    root: str
    process: subprocess.Popen[bytes]


@contextmanager
def running_server(
    app: str = "app.main:app",
    program: str = "uvicorn",
    **environment: str,
) -> Iterator[Server]:
    """Run the backend in a separate process, with a changed environment.

    gunicorn runs it as in production, but with one worker.
    """
    with (
        tempfile.NamedTemporaryFile("r") as log,
        # Opened again: the server must not share the position at which `output` reads.
        Path(log.name).open("a") as server_log,
        # The server inherits this socket, so no other program can take the port meanwhile.
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        descriptor, port = listener.fileno(), listener.getsockname()[1]
        command = [sys.executable, "-m", program, app]
        if program == "uvicorn":
            command += [f"--fd={descriptor}"]
        else:
            command += ["--config=../gunicorn_conf.py", "--worker-class", WORKER_CLASS]
            environment |= {"BIND": f"fd://{descriptor}", "WEB_CONCURRENCY": "1"}
        process = subprocess.Popen(
            command,
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
                    client.get("/utils/health/live", timeout=90)
                except httpx2.TransportError:
                    pytest.fail(output())
                yield Server(client, output, root, process)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
