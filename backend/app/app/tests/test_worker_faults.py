"""A worker that loses its Redis connection."""

import time
from pathlib import Path

from app.tests.utils.forwarder import Forwarder, forwarded_redis
from app.tests.utils.tasks import nap
from app.tests.utils.worker import running_worker

QUEUE = "faults"


def test_lost_redis_is_logged_without_traceback(forwarder: Forwarder, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = (f"--queues={QUEUE}", "--include=app.tests.utils.tasks")
    with running_worker(*options, name=QUEUE, env=forwarded_redis(forwarder), log=log):
        nap.apply_async((str(tmp_path / "started"), 1.5), queue=QUEUE)
        while not (tmp_path / "started").exists():
            time.sleep(0.05)
        started = len(log.read_text())
        with forwarder.down():
            result = nap.apply_async((str(tmp_path / "started"), 0), queue=QUEUE)
            time.sleep(1)
        assert result.get(timeout=30) == "done"
    lines = log.read_text()[started:]
    lost, attempts = lines[: lines.index("Connected to")].split("consumer: Cannot connect", 1)
    warnings = [line for line in lost.strip().splitlines() if "INFO/MainProcess" not in line]
    assert "Connection to broker lost" in warnings[0]
    assert len(warnings) == 2  # The second is the timestamp of the next message.
    assert "Traceback" not in lines, attempts


def test_worker_runs_tasks_after_a_message_that_it_could_not_acknowledge(
    forwarder: Forwarder, tmp_path: Path
) -> None:
    """Kombu 5.7 counts such a message as unacknowledged, so that one process would stay idle."""
    log, started = tmp_path / "log", tmp_path / "started"
    # A heartbeat would wait for Redis first.
    options = ("--include=app.tests.utils.tasks", "--concurrency=1", "--without-heartbeat")
    with running_worker(
        f"--queues={QUEUE}", *options, name=QUEUE, env=forwarded_redis(forwarder), log=log
    ):
        nap.apply_async((str(started), 1), queue=QUEUE, ignore_result=True)
        while not started.exists():
            time.sleep(0.05)
        with forwarder.holding_responses():
            deadline = time.monotonic() + 30
            while "Couldn't ack" not in log.read_text():
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
        assert nap.apply_async((str(started), 0), queue=QUEUE).get(timeout=30) == "done"
