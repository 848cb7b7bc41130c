"""The application with faster polls and pings, and a report about its streams at /streams."""

from typing import Any

from sqlalchemy import event

from app.api import job_events
from app.db.session import read_engine
from app.main import app

job_events.POLL_SECONDS, job_events.PING_SECONDS = 0.2, 1
queries = 0


@event.listens_for(read_engine, "before_cursor_execute")
def count_query(*_: Any) -> None:
    global queries  # noqa: PLW0603
    queries += 1


@app.get("/streams")
async def report() -> dict[str, int]:
    streams = job_events.job_streams
    return {
        "streams": len(streams._streams),
        "pollers": int(streams._poller is not None),
        "queries": queries,
    }
