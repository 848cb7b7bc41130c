import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from app.core.celery_app import celery_app

BACKEND = Path(__file__).parents[3]


@contextmanager
def running_worker(
    *options: str,
    name: str = "tests",
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run worker-start.sh with the tests' database, Redis and mail server."""
    command = ["sh", "worker-start.sh", "--without-mingle", f"--hostname={name}@tests", *options]
    with log.open("ab") if log else nullcontext() as output:
        process = subprocess.Popen(
            command,
            cwd=BACKEND,
            env={**os.environ, **(env or {})},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 60
        while not celery_app.control.ping(destination=[f"{name}@tests"], timeout=0.2):
            assert process.poll() is None, "the worker exited"
            assert time.monotonic() < deadline, "the worker doesn't respond"
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(20)
