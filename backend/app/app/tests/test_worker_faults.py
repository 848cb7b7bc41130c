"""Workers that lose their Redis connection or are killed. Each test starts its own workers."""

import signal
import time
from pathlib import Path

from celery.result import AsyncResult

from app.core.celery_app import celery_app
from app.tests.utils.forwarder import Forwarder, forwarded_redis
from app.tests.utils.worker import running_worker

QUEUE = "faults"
QUEUE_OPTION = f"--queues={QUEUE}"
UTILS = "app.tests.utils"


def send(name: str, *args: object) -> AsyncResult[str]:
    return celery_app.send_task(f"{UTILS}.tasks.{name}", args=args, queue=QUEUE)


def count_starts(path: Path) -> int:
    return len(path.read_text().split()) if path.exists() else 0


def test_lost_redis_is_logged_without_traceback(forwarder: Forwarder, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = (QUEUE_OPTION, f"--include={UTILS}.tasks")
    with running_worker(*options, name=QUEUE, env=forwarded_redis(forwarder), log=log):
        send("nap", str(tmp_path / "running"), 1.5)
        while not count_starts(tmp_path / "running"):
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
    assert len(warnings) == 2  # The second is the timestamp of the next message.
    assert "Traceback" not in lines, attempts


def test_only_tasks_of_a_dead_worker_are_repeated(tmp_path: Path) -> None:
    """Here, a worker repeats unacknowledged tasks after 2 seconds, or 8 seconds with slow_task."""
    slow, lost = tmp_path / "slow", tmp_path / "lost"
    with running_worker(QUEUE_OPTION, f"--include={UTILS}.slow_task", name=QUEUE) as worker:
        result = celery_app.send_task(f"{UTILS}.slow_task.slow_nap", args=[str(slow)], queue=QUEUE)
        result.get(timeout=30)
        assert count_starts(slow) == 1
        result = send("die", str(lost), 1, True)
        assert worker.wait(10) == -signal.SIGKILL
    with running_worker(QUEUE_OPTION, f"--include={UTILS}.short_limits", name=QUEUE):
        assert result.get(timeout=30) == "done"
    assert count_starts(lost) == 2
