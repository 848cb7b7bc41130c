"""How long enqueueing may take."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

import pytest
from redis import Redis

from app.core.config import settings
from app.tests.utils.forwarder import Forwarder, forwarded_redis
from app.tests.utils.worker import BACKEND

# No worker of the tests reads this Redis database.
SPARE_DATABASE = "/15"


ENQUEUE = """
import time
from app.core.celery_app import celery_app
from app.worker import test_celery

ways = {
    "send_task": lambda: celery_app.send_task(test_celery.name, ["x"], ignore_result=True),
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
def test_enqueueing_fails_fast(
    forwarder: Forwarder, fault: Callable[[Forwarder], AbstractContextManager[None]]
) -> None:
    """By default, Celery would wait for Redis and retry, which would block the request."""
    url = urlsplit(settings.CELERY_BROKER_URL)._replace(path=SPARE_DATABASE).geturl()
    process = subprocess.Popen(
        [sys.executable, "-c", ENQUEUE],
        cwd=BACKEND,
        env={**os.environ, **forwarded_redis(forwarder, SPARE_DATABASE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    replies = process.stdout

    def enqueue(way: str) -> str:
        """Enqueue a task and return the outcome, within a second or slightly more."""
        print(way, file=process.stdin, flush=True)
        reply = replies.readline().split()
        assert reply, "enqueueing waits for Redis"
        assert float(reply[1]) < 1.5
        return reply[0]

    # End the process if the test hangs.
    limit = threading.Timer(30, process.kill)
    limit.start()
    try:
        with Redis.from_url(url) as redis:
            redis.delete("main-queue")
            for round_ in (1, 2):  # In the second round, a connection already exists.
                with fault(forwarder):
                    assert enqueue("send_task") == "QueueUnreachable"
                    assert enqueue("apply_async") == "QueueUnreachable"
                time.sleep(0.5)
                # A call that timed out may have enqueued its task, but only once.
                assert redis.llen("main-queue") <= 3 * round_ - 1
                assert enqueue("send_task") == "enqueued"
            redis.delete("main-queue")
    finally:
        limit.cancel()
        process.kill()
        process.communicate()
