"""Measures what open streams of events about jobs cost the server and other requests."""

import asyncio
import os
import resource
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from urllib.parse import urlsplit

from load import API, LOAD_CORE, Case, Server, pin
from sqlalchemy import Connection, create_engine, text
from subjects import BACKEND, server

STREAMS, JOBS = 1000, 100
ME = Case("users/me", "/users/me")
INSERT = (
    "INSERT INTO job (kind, owner_id, state, progress, message, attempts, check_at)"
    " SELECT 'bench', :owner, 'running', 0, '', 1, now() + interval '1 hour'"
    " FROM generate_series(1, :jobs) RETURNING id"
)
PROGRESS = text("UPDATE job SET progress = progress + 1, updated_at = clock_timestamp()")


def report_events(running: Server, uri: str, seconds: int, rounds: int) -> None:
    allow_open_files(2 * STREAMS)
    engine = create_engine(uri, isolation_level="AUTOCOMMIT")
    alone, quiet, busy = [], [], []
    with server("app.main:app", BACKEND, uri) as measured, engine.connect() as connection:
        measured.users, user = running.users, running.users["small"]
        jobs = connection.scalars(text(INSERT), {"owner": user.id, "jobs": JOBS}).all()
        p99(running, 1)
        p99(measured, 1)
        memory = memory_of(measured)
        with Client(measured.url, user.token, jobs).running() as client:
            # Other load on the machine changes over time, so measure the three alternately. The
            # other server, without streams, has nothing else to do.
            for _ in range(rounds):
                alone.append(p99(running, seconds))
                quiet.append(p99(measured, seconds))
                with progressing(connection):
                    busy.append(p99(measured, seconds))
            events = client.events
            growth = memory_of(measured) - memory
        connection.execute(text("TRUNCATE job"))
    engine.dispose()
    without = median(alone)
    print(
        f"\n{STREAMS} streams of {JOBS} jobs: {growth:.0f} MiB more memory;"
        f"\np99 of users/me for another client: {median(quiet):.1f} ms,"
        f" {median(quiet) / without:.1f} times the {without:.1f} ms without streams;"
        f"\n{median(busy):.1f} ms, {median(busy) / without:.1f} times, while all jobs progress each"
        f" second ({events} events)",
        flush=True,
    )


def allow_open_files(number: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(number, hard), hard))


def memory_of(server: Server) -> float:
    """Return the memory at once. Server.totals would wait for the end of the streams."""
    return float(server.call("/bench")["memory_mib"])


def p99(server: Server, seconds: int) -> float:
    return server.load(ME, seconds, connections=1)["p99"]


class Client:
    """Reads all streams in one thread."""

    def __init__(self, url: str, token: str, jobs: Sequence[int]) -> None:
        self.address, self.token, self.jobs = urlsplit(url), token, jobs
        self.events, self.opened = 0, 0
        self.ended: list[BaseException] = []

    @contextmanager
    def running(self) -> Iterator["Client"]:
        """Return when every stream has received its first event."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._run, args=(loop,), daemon=True)
        thread.start()
        deadline = time.monotonic() + 60
        while self.opened < STREAMS:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise SystemExit(f"bench: only {self.opened} of {STREAMS} streams are open")
            time.sleep(0.1)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
        if self.ended:
            raise SystemExit(f"bench: {len(self.ended)} streams ended early: {self.ended[0]!r}")

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        pin(0, LOAD_CORE)
        # The database and the measured client use this core, too.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        slots = asyncio.Semaphore(20)  # The server's backlog is limited.
        tasks = [
            loop.create_task(self._read(self.jobs[number % JOBS], slots))
            for number in range(STREAMS)
        ]
        loop.run_forever()
        for task in tasks:
            if task.done() and (error := task.exception()):
                self.ended.append(error)
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    async def _read(self, job: int, slots: asyncio.Semaphore) -> None:
        async with slots:
            reader, writer = await asyncio.open_connection(self.address.hostname, self.address.port)
            writer.write(
                f"GET {API}/jobs/{job}/events HTTP/1.1\r\nHost: bench\r\n"
                f"Authorization: Bearer {self.token}\r\n\r\n".encode()
            )
            await self._next(reader)
            self.opened += 1
        try:
            while True:
                await self._next(reader)
        finally:
            writer.close()

    async def _next(self, reader: asyncio.StreamReader) -> None:
        await reader.readuntil(b"event: job\n")
        self.events += 1


@contextmanager
def progressing(connection: Connection) -> Iterator[None]:
    """Let all jobs report progress each second."""
    stopped = threading.Event()

    def progress() -> None:
        while not stopped.wait(1):
            connection.execute(PROGRESS)

    thread = threading.Thread(target=progress)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
