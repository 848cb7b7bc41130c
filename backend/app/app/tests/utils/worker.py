import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.celery_app import celery_app

BACKEND = Path(__file__).parents[3]


@contextmanager
def running_worker() -> Iterator[None]:
    """Run worker-start.sh as it is, on the tests' services."""
    celery_app.control.purge()
    process = subprocess.Popen(["sh", "worker-start.sh", "--pool=solo"], cwd=BACKEND)
    try:
        deadline = time.monotonic() + 30
        while not celery_app.control.ping(timeout=0.2):
            assert process.poll() is None, "the worker ended"
            assert time.monotonic() < deadline, "the worker doesn't answer"
        yield
    finally:
        process.terminate()
        process.wait(20)
