"""The import and the export of rows as CSV files. docs/csv.md describes the format."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from app.core import files
from app.core.celery_app import JobError
from app.core.files import FileStoreUnavailable, Writable
from app.crud.base import CRUDOwned
from app.crud.crud_user import user as crud_user
from app.crud.csv_rows import Line, Rows, Violation, count_rows, write_rows
from app.crud.exceptions import OwnerGone
from app.csv_reader import Malformed, RowParser, problem, read_rows
from app.db.session import ReadSession
from app.jobs import MAX_REPORT, JobKind, Run, job
from app.models.user import User
from app.schemas.job import Problem
from app.schemas.page import PageQuery

# Seconds: a file may be large.
TIME_LIMIT = 15 * 60
# The last attempt is about half an hour after the first: the file store may be unavailable.
ATTEMPTS = 11
BATCH_ROWS = 5000
# Spreadsheets read a file without this mark in another encoding.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def csv_jobs(
    plural: str, rows: CRUDOwned[Any, Any, Any], query_schema: type[PageQuery[Any]]
) -> tuple[JobKind[[str, int]], JobKind[[dict[str, Any], int]]]:
    """Make the kinds of jobs import_items and export_items for the plural "items".

    The first one takes the key of the file, and the second one the parameters of the list. Both
    take the id of the user.
    """

    def import_file(run: Run, file: str, user_id: int) -> str:
        return import_rows(run, rows, file, user_id)

    def export_file(run: Run, query: dict[str, Any], user_id: int) -> str:
        return export_rows(run, rows, plural, query_schema.model_validate(query), user_id)

    import_file.__name__, export_file.__name__ = f"import_{plural}", f"export_{plural}"
    register = job(time_limit=TIME_LIMIT, attempts=ATTEMPTS)
    return register(import_file), register(export_file)


def import_rows(run: Run, rows: CRUDOwned[Any, Any, Any], file: str, user_id: int) -> str:
    """Insert the rows of an uploaded file: all or none. Return their number as a text.

    Raises JobError. Its report lists the problems of the file.
    """
    user = _active_user(user_id)
    done, total, problems = 0, 0, list[Problem]()
    try:
        with _store_errors(), files.read(file) as content:
            total = sum(1 for _ in read_rows(content)) - 1
        with _store_errors(), files.read(file) as content:
            done, problems = _insert_rows(run, rows, read_rows(content), total, user)
    except Malformed as error:
        problems = [*error.problems]
    except OwnerGone as error:
        raise JobError("The user was deleted") from error
    if problems:
        number = len({each.line for each in problems})
        more = "At least " if done < total else ""
        raise JobError(
            f"{more}{number} of {max(total, number)} lines have problems",
            report=[each.model_dump() for each in problems],
        )
    return f"{total} rows"


def _insert_rows(
    run: Run,
    rows: CRUDOwned[Any, Any, Any],
    content: Iterator[tuple[int, list[str]]],
    total: int,
    user: User,
) -> tuple[int, list[Problem]]:
    """Insert the valid rows, until there are enough problems for a report.

    Returns how many rows were read, and the problems. Raises Malformed and OwnerGone.
    """
    parse = RowParser(rows, next(content)[1])
    table = Rows(run.db, rows, parse.fields, user)
    problems: list[Problem] = []
    batch: list[Line] = []
    done = 0
    for done, (line, cells) in enumerate(content, 1):
        try:
            batch.append((line, parse(line, cells)))
        except Malformed as error:
            problems += error.problems
        if len(batch) == BATCH_ROWS:
            run.progress(done, total)
            problems += _problems(parse.fields, batch, table.insert(batch))
            batch.clear()
        if len(problems) >= MAX_REPORT:
            break
    run.progress(done, total)
    problems += _problems(parse.fields, batch, table.insert(batch))
    if done >= BATCH_ROWS:
        table.analyze()
    return done, problems


def _problems(
    fields: Sequence[str], batch: Iterable[Line], violations: Iterable[Violation]
) -> list[Problem]:
    values = dict(batch) if violations else {}
    return [
        problem(line, code, field, str(values[line][fields.index(field)]))
        for line, field, code in violations
    ]


def export_rows(
    run: Run, rows: CRUDOwned[Any, Any, Any], plural: str, query: PageQuery[Any], user_id: int
) -> str:
    """Write all rows that the query finds, and that the user may read, to a file of the job.

    Returns their number as a text. Raises JobError.
    """
    filters = rows.readable_by(_active_user(user_id))
    if filters is None:
        raise JobError("Not enough permissions")
    name = f"{plural}-{datetime.now(UTC):%Y-%m-%d}.csv"
    with _store_errors(), run.write_file(name) as file, ReadSession() as db:
        output = _Output(run, file, count_rows(db, rows, query, **filters))
        write_rows(db, rows, query, output, **filters)
        output.flush()
    return f"{output.done} rows"


class _Output:
    """Collects the lines of a file, and reports the progress."""

    def __init__(self, run: Run, file: Writable, total: int) -> None:
        self._run, self._file, self._total = run, file, total
        self._lines = [BYTE_ORDER_MARK]
        self.done = -1  # The header is not counted.

    def write(self, line: bytes) -> None:
        self._lines.append(line)
        self.done += 1
        if len(self._lines) == BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        self._file.write(b"".join(self._lines))
        self._lines.clear()
        self._run.progress(self.done, self._total)


def _active_user(user_id: int) -> User:
    with ReadSession() as db:
        user = crud_user.get(db, user_id)
    if user is None or not user.is_active:
        raise JobError("The user was deleted or deactivated")
    return user


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except FileStoreUnavailable as error:
        raise JobError("The file store is unavailable", permanent=False) from error
    except FileNotFoundError as error:
        raise JobError("The file is missing in the file store", permanent=False) from error
