"""Measures what a job adds to a request, and how many mails one process of the worker sends."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

from load import LOAD_CORE, SERVER_CORE, Case, Server, pin
from redis import Redis
from sqlalchemy import Connection, create_engine, text
from subjects import BACKEND, bench_environment, pin_database, redis_url, server

ROW = Case("POST", "/bench/row", "writer", "POST", "{}")
ROW_AND_JOB = replace(ROW, name="POST with a job", path="/bench/row-and-job")
# The first mails open connections and fill caches, so they are not counted.
FIRST_MAILS = 10


def report_jobs(running: Server, uri: str, seconds: int, rounds: int) -> None:
    print(f"\nJobs{'':<18}{'CPU ms':>11}{'queries':>11}")
    with server("jobs_app:app", BACKEND, uri) as measured:
        measured.users = running.users
        report_enqueueing(measured, seconds, rounds)
    engine = create_engine(uri, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection, Redis.from_url(redis_url()) as queue:
        queue.flushdb()
        connection.execute(text("TRUNCATE job"))
        report_mails(connection, uri, running.users["small"].id, 1000 if seconds > 1 else 100)
    engine.dispose()


def report_enqueueing(measured: Server, seconds: int, rounds: int) -> None:
    cases = (ROW, ROW_AND_JOB)
    for case in cases:
        measured.measure(case, 1)
    # Other load on the machine changes over time, so measure the two alternately.
    results = [[measured.measure(case, seconds) for case in cases] for _ in range(rounds)]
    for case, each in zip(cases, zip(*results, strict=True), strict=True):
        cpu, queries = median(result.cpu_ms for result in each), each[-1].queries
        print(f"{case.name:<22}{cpu:>11.2f}{queries:>11.2f}")
    more = median(after.cpu_ms - before.cpu_ms for before, after in results)
    before, after = results[-1]
    print(f"{'the job':<22}{more:>+11.2f}{after.queries - before.queries:>+11.2f}", flush=True)


def report_mails(connection: Connection, uri: str, user: int, number: int) -> None:
    with mail_server() as port:
        environment = bench_environment(BACKEND, uri) | {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(port),
            "SMTP_TLS": "false",
            "SMTP_SSL": "false",
            "SMTP_USER": "",
            "SMTP_PASSWORD": "",
        }
        run_mails("enqueue", user, number, environment)
        jobs = mails_per_second(connection, number, environment)
        loop = float(run_mails("loop", user, number, environment))
    print(
        f"{number} mails by one process of the worker: {jobs:.0f}/s, {jobs / loop:.0%} of"
        f" {loop:.0f}/s in a loop without Celery and jobs",
        flush=True,
    )


@contextmanager
def mail_server() -> Iterator[int]:
    """Run an SMTP server that drops the mails, and yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--nosetuid", f"--listen=127.0.0.1:{port}", "--class=aiosmtpd.handlers.Sink"]
    process = subprocess.Popen(
        [sys.executable, "-m", "aiosmtpd", *options], preexec_fn=lambda: pin(0, LOAD_CORE)
    )
    try:
        with socket.socket() as client:
            while client.connect_ex(("127.0.0.1", port)):
                if process.poll() is not None:
                    raise SystemExit("bench: aiosmtpd did not start")
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def run_mails(how: str, user: int, number: int, environment: Mapping[str, str]) -> str:
    return subprocess.run(
        [sys.executable, str(Path(__file__).with_name("mails.py")), how, str(user), str(number)],
        check=True,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: pin(0, SERVER_CORE),
    ).stdout


@contextmanager
def running_worker(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker with one process for tasks on the server's core."""
    process = subprocess.Popen(
        ["sh", "worker-start.sh", "--concurrency=1", "--without-mingle"],
        cwd=BACKEND,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: pin(0, SERVER_CORE),
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def mails_per_second(connection: Connection, number: int, environment: Mapping[str, str]) -> float:
    """Return how fast one process of the worker sends the enqueued mails."""
    with running_worker(environment) as process:
        wait_for_mails(connection, FIRST_MAILS, process)
        pin_database(connection)
        wait_for_mails(connection, number, process)
    query = (
        "SELECT extract(epoch FROM max(finished_at) - min(finished_at)) FROM"
        " (SELECT finished_at FROM job ORDER BY finished_at OFFSET :first - 1) AS later"
    )
    seconds = connection.scalar(text(query), {"first": FIRST_MAILS})
    assert seconds is not None
    return (number - FIRST_MAILS) / float(seconds)


def wait_for_mails(connection: Connection, number: int, process: subprocess.Popen[bytes]) -> None:
    query = text("SELECT count(*) FROM job WHERE state = 'succeeded'")
    while (connection.scalar(query) or 0) < number:
        if process.poll() is not None:
            raise SystemExit("bench: the worker exited")
        time.sleep(0.2)
