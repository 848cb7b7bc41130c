"""Streams of server-sent events about jobs.

One task per process reads all watched jobs once per second, and wakes the streams whose job has
changed. An open stream holds no thread and no database connection.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from fastapi.concurrency import run_in_threadpool
from fastapi.sse import format_sse_event
from sqlalchemy.exc import SQLAlchemyError

from app.crud.crud_job import job as crud_job
from app.db.session import ReadSession
from app.models.job import OPEN_STATES, Job
from app.schemas import job as schemas
from app.schemas.token import SessionPayload

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
# Proxies close connections that are idle for longer.
PING_SECONDS = 15.0
PING = format_sse_event(comment="ping")
# Other requests run between the batches.
BATCH, PAUSE_SECONDS = 2, 0.001

# The ids of a session and of the job that it watches.
Key = tuple[int, int]


@dataclass(frozen=True)
class JobState:
    job_id: int
    updated_at: datetime
    is_final: bool
    event_id: str
    event: bytes


def job_state(job: Job) -> JobState:
    """Return the state of a job, with the event that all of its streams send."""
    row = schemas.Job.model_validate(job)
    # The worker of a running job changes updated_at each second. That alone is no new event.
    content = row.model_dump_json(exclude={"updated_at"})
    event_id = sha256(content.encode()).hexdigest()[:16]
    event = format_sse_event(event="job", id=event_id, data_str=row.model_dump_json())
    return JobState(row.id, row.updated_at, row.state not in OPEN_STATES, event_id, event)


class JobStream:
    """The events of one job for one client."""

    def __init__(self, state: JobState, caller: SessionPayload, last_event_id: str | None) -> None:
        self.key, self.expires_at = (caller.session, state.job_id), caller.exp
        self.is_open = True
        self._state, self._last_event_id = state, last_event_id
        self._wake = asyncio.Event()

    def update(self, state: JobState | None) -> bool:
        """Set the state, or end the stream. Return whether there is something to do."""
        if state is None:
            self.end()
        else:
            self._state = state
            if state.event_id != self._last_event_id:
                self._wake.set()
        return self._wake.is_set()

    def end(self) -> None:
        self.is_open = False
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.is_open:
            self._wake.clear()
            state = self._state
            if state.event_id != self._last_event_id:
                self._last_event_id = state.event_id
                yield state.event
            if state.is_final:
                return
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                yield PING


class JobStreams:
    """The open streams of this process."""

    def __init__(self) -> None:
        self._streams: set[JobStream] = set()
        self._poller: asyncio.Task[None] | None = None
        self._is_shut_down = False

    @contextmanager
    def opened(self, stream: JobStream) -> Iterator[None]:
        """Keep the stream up to date."""
        if self._is_shut_down:
            stream.end()
        self._streams.add(stream)
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll())
        try:
            yield
        finally:
            self._streams.remove(stream)

    def shut_down(self) -> None:
        """End all streams, also those that are opened later."""
        self._is_shut_down = True
        self._end_all()

    def _end_all(self) -> None:
        for stream in self._streams:
            stream.end()

    async def _poll(self) -> None:
        """Update the streams once per second, while there are any."""
        states: Mapping[Key, JobState] = {}
        is_database_down = False
        try:
            while True:
                await asyncio.sleep(POLL_SECONDS)
                if not self._streams:
                    break
                for stream in self._streams:
                    if stream.expires_at <= time.time():
                        stream.end()
                watched = [stream for stream in self._streams if stream.is_open]
                keys = {stream.key for stream in watched}
                try:
                    states = await run_in_threadpool(_read_states, keys, states.values())
                except SQLAlchemyError as error:
                    if not is_database_down:
                        logger.warning("job events wait for the database: %s", error)
                    is_database_down = True
                else:
                    is_database_down = False
                    await _update(watched, states)
        finally:
            # If this task fails, clients reconnect. Otherwise they would wait forever.
            self._poller = None
            self._end_all()


def _read_states(keys: Collection[Key], known: Collection[JobState]) -> Mapping[Key, JobState]:
    """Return the states of the jobs that these sessions may still read."""
    unchanged = {(state.job_id, state.updated_at): state for state in known}
    with ReadSession() as db:
        rows = crud_job.get_watched(db, keys)
        states = {row.id: unchanged.get((row.id, row.updated_at)) for row in rows}
        changed = [job_id for job_id, state in states.items() if state is None]
        states |= {job.id: job_state(job) for job in crud_job.get_by_ids(db, changed)}
    # A job without a state was deleted between the two queries.
    return {(row.session_id, row.id): state for row in rows if (state := states[row.id])}


async def _update(watched: Collection[JobStream], states: Mapping[Key, JobState]) -> None:
    woken = 0
    for stream in watched:
        woken += stream.update(states.get(stream.key))
        if woken >= BATCH:
            await asyncio.sleep(PAUSE_SECONDS)
            woken = 0


job_streams = JobStreams()
