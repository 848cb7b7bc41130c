"""The jobs for the tests of faults. The worker and beat of their stack include this module."""

import time

from sqlalchemy import text

from app.beat import Scheduler
from app.jobs import Run, job
from app.tests.utils.sample_note import SampleNote, export_notes, import_notes

__all__ = [
    "ROWS",
    "SECONDS",
    "SampleNote",
    "Scheduler",
    "export_notes",
    "import_notes",
    "insert_rows",
]

ROWS = 5
SECONDS = 0.5


@job()
def insert_rows(run: Run, batch: str) -> None:
    """Insert rows slowly. The table is created by the tests."""
    insert = text("INSERT INTO fault_row (batch, number) VALUES (:batch, :number)")
    for number in range(ROWS):
        run.db.execute(insert, {"batch": batch, "number": number})
        run.progress(number + 1, ROWS, "inserting rows")
        time.sleep(SECONDS / ROWS)
