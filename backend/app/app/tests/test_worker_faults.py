"""Workers that lose Redis or their processes. Each test starts its own worker."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from celery.result import AsyncResult
from redis import Redis

from app.core.celery_app import celery_app
from app.core.config import settings
from app.tests.utils.forwarder import Forwarder
from app.tests.utils.worker import BACKEND, running_worker

QUEUE = "faults"
QUEUE_OPTION = f"--queues={QUEUE}"
UTILS = "app.tests.utils"
# No process of a test run has this one: the queue in it is read by no worker.
SPARE_DATABASE = "/15"


@pytest.fixture
def forwarder() -> Iterator[Forwarder]:
    url = urlsplit(settings.CELERY_BROKER_URL)
    forwarder = Forwarder(url.hostname or "localhost", url.port or 6379)
    yield forwarder
    forwarder.close()


def redis_through(forwarder: Forwarder, database: str | None = None) -> dict[str, str]:
    database = database or urlsplit(settings.CELERY_BROKER_URL).path
    url = f"redis://127.0.0.1:{forwarder.port}{database}"
    return {"CELERY_BROKER_URL": url, "CELERY_RESULT_BACKEND": url}


def send(name: str, *args: object) -> AsyncResult[str]:
    return celery_app.send_task(f"{UTILS}.tasks.{name}", args=args, queue=QUEUE)


def starts_in(path: Path) -> int:
    return len(path.read_text().split()) if path.exists() else 0


def test_worker_reports_a_lost_redis_in_one_line(forwarder: Forwarder, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = (QUEUE_OPTION, f"--include={UTILS}.tasks")
    with running_worker(*options, name=QUEUE, env=redis_through(forwarder), log=log):
        send("nap", str(tmp_path / "running"), 1.5)
        while not starts_in(tmp_path / "running"):
            time.sleep(0.05)
        started = len(log.read_text())
        with forwarder.down():
            result = send("die", str(tmp_path / "starts"), 0)
            time.sleep(1)
        assert result.get(timeout=30) == "done"
    lines = log.read_text()[started:]
    lost, attempts = lines[: lines.index("Connected to")].split("consumer: Cannot connect", 1)
    warnings = [line for line in lost.strip().splitlines() if "INFO/MainProcess" not in line]
    assert "Connection to broker lost" in warnings[0]
    assert len(warnings) == 2  # The second one is the beginning of the attempts.
    assert "Traceback" not in lines, attempts


def test_only_lost_tasks_are_repeated(tmp_path: Path) -> None:
    """Other tasks may be repeated after 2 seconds here, but not one that may last 4."""
    slow, lost = tmp_path / "slow", tmp_path / "lost"
    with running_worker(QUEUE_OPTION, f"--include={UTILS}.slow_task", name=QUEUE) as worker:
        result = celery_app.send_task(f"{UTILS}.slow_task.slow_nap", args=[str(slow)], queue=QUEUE)
        result.get(timeout=30)
        assert starts_in(slow) == 1
        result = send("die", str(lost), 1, True)
        assert worker.wait(10) == -signal.SIGKILL
    with running_worker(QUEUE_OPTION, f"--include={UTILS}.short_limits", name=QUEUE):
        assert result.get(timeout=30) == "done"
    assert starts_in(lost) == 2


def test_worker_does_not_start_on_contradictory_limits() -> None:
    command = ["sh", "worker-start.sh", "--include=app.tests.utils.wrong_limits"]
    try:
        worker = subprocess.run(
            command, check=False, cwd=BACKEND, capture_output=True, text=True, timeout=60
        )
    except subprocess.TimeoutExpired:
        pytest.fail("the worker started")
    assert worker.returncode == 1
    lines = worker.stderr[worker.stderr.index("The worker can't start:") :].splitlines()[1:]
    wrong = {line.split(":")[0].rpartition(".")[2]: line for line in lines}
    assert wrong.keys() == {
        "soft_above_default",
        "soft_equal",
        "soft_far_below",
        "negative",
        "long_retry_delay",
        "long_backoff",
    }
    assert "soft_time_limit must be below time_limit (300 s)" in wrong["soft_above_default"]
    assert "not 240 s" in wrong["soft_far_below"]
    assert "600 s exceeds LONGEST_DELAY" in wrong["long_backoff"]


@pytest.mark.parametrize(
    "option", [{"countdown": 3600}, {"time_limit": 3600}, {"soft_time_limit": 1}]
)
def test_limits_of_one_call_are_rejected(option: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"app\.worker\.test_celery"):
        celery_app.send_task("app.worker.test_celery", args=["x"], **option)


ENQUEUE = """
import time
from app.core.celery_app import send_task
from app.worker import test_celery

ways = {
    "send_task": lambda: send_task(test_celery.name, "x"),
    "apply_async": lambda: test_celery.apply_async(["x"], ignore_result=True),
}
while way := input():
    start, outcome = time.monotonic(), "enqueued"
    try:
        ways[way]()
    except Exception as error:
        outcome = type(error).__name__
    print(outcome, time.monotonic() - start, flush=True)
"""


@pytest.mark.parametrize("fault", [Forwarder.holding_responses, Forwarder.down])
def test_enqueueing_neither_waits_nor_repeats(
    forwarder: Forwarder, fault: Callable[[Forwarder], AbstractContextManager[None]]
) -> None:
    """Celery's own way, too: by default it waits until Redis is back, and repeats."""
    url = urlsplit(settings.CELERY_BROKER_URL)._replace(path=SPARE_DATABASE).geturl()
    process = subprocess.Popen(
        [sys.executable, "-c", ENQUEUE],
        cwd=BACKEND,
        env={**os.environ, **redis_through(forwarder, SPARE_DATABASE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    replies = process.stdout

    def enqueue(way: str) -> str:
        """Return what happened within a second; a busy machine needs a little more."""
        print(way, file=process.stdin, flush=True)
        reply = replies.readline().split()
        assert reply, "enqueueing waits for Redis"
        assert float(reply[1]) < 1.5
        return reply[0]

    # The limit of the whole test.
    limit = threading.Timer(30, process.kill)
    limit.start()
    try:
        with Redis.from_url(url) as redis:
            redis.delete("main-queue")
            for round_ in (1, 2):  # The second with a connection that worked before.
                with fault(forwarder):
                    assert enqueue("send_task") == "BrokerUnavailable"
                    assert enqueue("apply_async") == "OperationalError"
                time.sleep(0.5)
                # What timed out may have arrived all the same, but only once.
                assert redis.llen("main-queue") <= 3 * round_ - 1
                assert enqueue("send_task") == "enqueued"
            redis.delete("main-queue")
    finally:
        limit.cancel()
        process.kill()
        process.communicate()
