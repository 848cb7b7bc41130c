"""Imports and exports of CSV files, without a worker: the jobs run in the process of the tests.

The sample notes have columns of every type, a unique one, and references to notes and users.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from celery.exceptions import Retry
from sqlalchemy import Connection, delete, event, func, select, text

from app.api.routing import resources
from app.core import files
from app.core.config import settings
from app.crud.base import CRUDOwned
from app.crud.crud_job import job as crud_job
from app.csv_files import BATCH_ROWS, BYTE_ORDER_MARK
from app.csv_reader import MAX_LINE_BYTES
from app.db.session import SessionLocal, engine, read_engine
from app.jobs import JobKind, NotCurrent, Run
from app.models import Job, User
from app.tests.utils.jobs import enqueue, read_job
from app.tests.utils.sample_note import (
    SampleNote,
    create_random_note,
    crud_sample_note,
    export_notes,
    import_notes,
)
from app.tests.utils.user import create_random_user

FIELDS = (
    "title",
    "text",
    "price",
    "rate",
    "status",
    "stars",
    "due_on",
    "starts_at",
    "is_public",
    "code",
    "next_id",
)
MISSING_ID = 2**31 - 1


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(JobKind, "send", lambda *_: None)
    yield
    with SessionLocal.begin() as db:
        db.execute(delete(Job))


@pytest.fixture
def owner() -> Iterator[User]:
    """A user who is stored, because a job has its own connection to the database."""
    with SessionLocal.begin() as db:
        user = create_random_user(db)
    yield user
    with SessionLocal.begin() as db:
        # A deletion would take a while after the test with 100,000 rows.
        db.execute(text("TRUNCATE sample_note CASCADE"))
        db.execute(delete(User).where(User.email != settings.FIRST_SUPERUSER))


def upload(content: str | bytes) -> str:
    async def chunks() -> AsyncIterator[bytes]:
        yield content.encode() if isinstance(content, str) else content

    key = f"uploads/{uuid4().hex}"
    asyncio.run(files.save(key, chunks()))
    return key


def run_import(user: User, content: str | bytes) -> Job:
    job_id = enqueue(import_notes, user, upload(content), user.id)
    import_notes.task.run(job_id)
    return read_job(job_id)


def run_export(user: User, **query: Any) -> list[list[str]]:
    job_id = enqueue(export_notes, user, query, user.id)
    export_notes.task.run(job_id)
    with files.read(read_job(job_id).file_key) as file:
        content = file.read()
    assert content.startswith(BYTE_ORDER_MARK)
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@contextmanager
def without_file_store() -> Iterator[None]:
    """Let the folder of the file store be no folder."""
    folder = settings.FILE_STORE
    settings.FILE_STORE = f"{__file__}/files"
    files.store.cache_clear()
    yield
    settings.FILE_STORE = folder
    files.store.cache_clear()


def cancel(run: Run, *_: object) -> None:
    with SessionLocal.begin() as db:
        crud_job.cancel(db, db.get_one(Job, run.job_id))
    raise NotCurrent


def notes(user: User) -> list[SampleNote]:
    with SessionLocal() as db:
        found = select(SampleNote).where(SampleNote.owner_id == user.id)
        return list(db.scalars(found.order_by(SampleNote.id)))


def report(user: User, content: str | bytes) -> list[tuple[int, str | None, str]]:
    """Import a file that has problems. Return the line, the field and the type of each."""
    job_id = enqueue(import_notes, user, upload(content), user.id)
    with pytest.raises(Exception, match="lines have problems"):
        import_notes.task.run(job_id)
    assert read_job(job_id).state == "failed"
    assert notes(user) == []
    with SessionLocal() as db:
        problems = crud_job.get_report(db, job_id)
    assert read_job(job_id).problem_count == len({each["line"] for each in problems})
    return [(each["line"], each["field"], each["type"]) for each in problems]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_delimiters_and_line_ends(owner: User, mark: str, delimiter: str, end: str) -> None:
    lines = ["title,text", 'Größe,"a, b; c"', "", 'two,"several\nlines"']
    content = mark + end.join(lines).replace(",", delimiter, 1) + end
    content = content.replace("Größe,", f"Größe{delimiter}").replace("two,", f"two{delimiter}")
    assert run_import(owner, content).result == "2 rows"
    assert [(note.title, note.text) for note in notes(owner)] == [
        ("Größe", "a, b; c"),
        ("two", "several\nlines"),
    ]


def test_empty_cells_have_the_default(owner: User) -> None:
    run_import(owner, "title,text,status,stars,is_public\none,,,,\n")
    (note,) = notes(owner)
    assert (note.text, note.status, note.stars, note.is_public) == (None, "open", 1, False)


def test_columns_may_be_missing_and_in_any_order(owner: User) -> None:
    run_import(owner, "stars, title\n5,one\n")
    (note,) = notes(owner)
    assert (note.title, note.stars) == ("one", 5)


HEADERS = {
    "text,stars\n": [(1, "title", "csv_column_missing")],
    "title,stars,stars\n": [(1, "stars", "csv_column_repeated")],
    "title,colour\n": [(1, "colour", "csv_column_unknown")],
    "title\tstars\n": [
        (1, "title", "csv_column_missing"),
        (1, "title\tstars", "csv_column_unknown"),
    ],
    "": [(1, None, "csv_empty")],
    "\n\n": [(1, None, "csv_empty")],
}


@pytest.mark.parametrize("content", HEADERS)
def test_headers_that_are_rejected(owner: User, content: str) -> None:
    assert report(owner, content) == HEADERS[content]


CONTENTS = {
    "archive": (b"PK\x03\x04\xff\xfe\n", (1, None, "csv_archive")),
    "another encoding": ("title\none\nGröße\n".encode("latin-1"), (3, None, "csv_not_utf8")),
    "UTF-16": ("title\none\n".encode("utf-16"), (1, None, "csv_not_utf8")),
    "NUL": (b"title\none\nt\0wo\n", (3, None, "csv_nul")),
    "quote not closed": (b'title\none\n"two\nthree\n', (3, None, "csv_quote_not_closed")),
    "text after a quote": (b'title\n"one" two\n', (2, None, "csv_malformed")),
    "value too long": (b"title\n" + b"x" * 200_000, (2, None, "csv_value_too_long")),
    "line too long": (b"title\n" + "ö".encode() * MAX_LINE_BYTES, (2, None, "csv_line_too_long")),
    "too many values": (b"title\none\ntwo,2\n", (3, None, "csv_number_of_values")),
    "too few values": (b"title,stars\none\n", (2, None, "csv_number_of_values")),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_contents_that_are_rejected(owner: User, name: str) -> None:
    content, problem = CONTENTS[name]
    assert report(owner, content) == [problem]


def test_report_has_all_problems_of_all_lines(owner: User) -> None:
    content = "title,stars,price,due_on,starts_at,status\n" + "\n".join(
        [
            "right,1,1.50,2026-01-31,2026-01-31T10:30Z,done",
            ",x,,,,",
            "several lines,,1.999,2026-02-30,2026-01-31T10:30,unknown",
            f"{'x' * 256},{2**31},,,,",
            "   ,,,,,",
        ]
    )
    assert report(owner, content) == [
        (3, "title", "missing"),
        (3, "stars", "int_parsing"),
        (4, "price", "decimal_max_places"),
        (4, "status", "literal_error"),
        (4, "due_on", "date_from_datetime_parsing"),
        (4, "starts_at", "timezone_aware"),
        (5, "title", "string_too_long"),
        (5, "stars", "less_than_equal"),
        (6, "title", "string_blank"),
    ]


def test_report_repeats_the_value_and_the_limits(owner: User) -> None:
    job_id = enqueue(import_notes, owner, upload("title\n" + "x" * 256), owner.id)
    with pytest.raises(Exception, match="1 of 1 lines have problems"):
        import_notes.task.run(job_id)
    with SessionLocal() as db:
        assert crud_job.get_report(db, job_id) == [
            {
                "line": 2,
                "field": "title",
                "value": "x" * 100,
                "type": "string_too_long",
                "msg": "String should have at most 255 characters",
                "ctx": {"max_length": 255},
            }
        ]


@pytest.mark.parametrize(
    ("header", "line", "number", "message"),
    [
        ("title,stars", f"{'x' * 256},x", 500, "At least 500 of 3000 lines have problems"),
        # The database checks whole batches.
        ("title,code", "one,taken", 2999, "2999 of 3000 lines have problems"),
    ],
)
def test_report_is_limited(owner: User, header: str, line: str, number: int, message: str) -> None:
    """It has 1000 problems, and the import stops. The lines that were checked are counted."""
    content = header + f"\n{line}" * 3000
    job_id = enqueue(import_notes, owner, upload(content), owner.id)
    with pytest.raises(Exception, match="lines have problems"):
        import_notes.task.run(job_id)
    done = read_job(job_id)
    assert (done.message, done.problem_count) == (message, number)
    with SessionLocal() as db:
        assert len(crud_job.get_report(db, job_id)) == 1000


def test_references_that_the_user_may_not_use(owner: User) -> None:
    with SessionLocal.begin() as db:
        own, foreign = create_random_note(db, owner_id=owner.id), create_random_note(db)
        run_content = f"title,next_id,reviewer_id\nright,{own.id},\n"
        content = run_content + f"foreign,{foreign.id},\nmissing,{MISSING_ID},\nuser,,{owner.id}\n"
    job_id = enqueue(import_notes, owner, upload(content), owner.id)
    with pytest.raises(Exception, match="3 of 4 lines have problems"):
        import_notes.task.run(job_id)
    with SessionLocal() as db:
        problems = crud_job.get_report(db, job_id)
    assert [(each["line"], each["field"], each["value"], each["type"]) for each in problems] == [
        (3, "next_id", str(foreign.id), "permission_denied"),
        (4, "next_id", str(MISSING_ID), "not_found"),
        (5, "reviewer_id", str(owner.id), "permission_denied"),
    ]
    assert run_import(owner, run_content).state == "succeeded"
    assert [note.next_id for note in notes(owner)] == [None, own.id]


def test_values_that_are_taken(owner: User) -> None:
    with SessionLocal.begin() as db:
        create_random_note(db, code="taken")
    # The last line is in another batch than the first one.
    filler = "filler,\n" * BATCH_ROWS
    content = f"title,code\none,new\ntwo,taken\nthree,new\n{filler}four,new\n"
    assert report(owner, content) == [
        (3, "code", "value_taken"),
        (4, "code", "value_taken"),
        (BATCH_ROWS + 5, "code", "value_taken"),
    ]


def test_statistics_contain_the_imported_rows(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise PostgreSQL could plan for an empty table, and an export would take minutes."""

    def analyze(*_: object) -> None:
        """Do what autovacuum may do meanwhile. It does not see the rows of the import."""
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE sample_note"))

    monkeypatch.setattr(Run, "progress", analyze)
    run_import(owner, "title\n" + "one\n" * BATCH_ROWS)
    with engine.connect() as connection:
        query = text("SELECT reltuples FROM pg_class WHERE relname = 'sample_note'")
        assert connection.scalar(query) == BATCH_ROWS


def test_only_superusers_refer_to_users(owner: User) -> None:
    with SessionLocal.begin() as db:
        superuser = create_random_user(db)
        superuser.is_superuser = True
    run_import(superuser, f"title,reviewer_id\none,{owner.id}\n")
    assert [note.reviewer_id for note in notes(superuser)] == [owner.id]


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "'=1", "''=1", "'", "'quoted'", "a=b", "it's"]


def test_formulas_are_quoted_and_not_lost(owner: User) -> None:
    with SessionLocal.begin() as db:
        for formula in FORMULAS:
            create_random_note(db, owner_id=owner.id, title=formula, price=-5)
    header, *rows = run_export(owner)
    cells = [row[header.index("title")] for row in rows]
    assert not [cell for cell in cells if cell[0] in "=+-@\t"]
    assert {row[header.index("price")] for row in rows} == {"-5.00"}
    with SessionLocal.begin() as db:
        db.execute(delete(SampleNote).where(SampleNote.owner_id == owner.id))
    content = io.StringIO()
    csv.writer(content).writerows([header, *rows])
    run_import(owner, content.getvalue())
    assert [note.title for note in notes(owner)] == FORMULAS


def make_rows(number: int, next_id: int) -> Iterator[list[str]]:
    """Yield rows with values of every type, as an export writes them."""
    texts = [
        "'=1",
        "''=1",
        "a;b",
        'say "hi"',
        "two\nlines",
        "cr\r\nlf",
        r"back\slash\n",
        "ÄÖ€🙂",
        "",
    ]
    for index in range(number):
        yield [
            f"'-title {index}",
            texts[index % 9],
            ["", "-12345678.90", "0.00", "7.50"][index % 4],
            ["", "0.000000001", "-99999999999.999999999"][index % 3],
            ["open", "done"][index % 2],
            str([0, -(2**31), 2**31 - 1][index % 3]),
            ["", "0001-01-01", "9999-12-31", "2026-02-28"][index % 4],
            ["", "0001-01-01T00:00:00.000000Z", "2026-01-31T10:30:00.123456Z"][index % 3],
            ["true", "false"][index % 2],
            f"{uuid4().hex[:24]}{index}",
            ["", str(next_id)][index % 2],
        ]


@pytest.fixture
def no_statement_timeout() -> Iterator[None]:
    """Let the jobs have no timeout of statements, as in a worker."""

    def switch_off(connection: Connection) -> None:
        connection.exec_driver_sql("SET statement_timeout = 0")

    for each in (engine, read_engine):
        event.listen(each, "engine_connect", switch_off)
    yield
    for each in (engine, read_engine):
        event.remove(each, "engine_connect", switch_off)
        each.dispose()


@pytest.mark.usefixtures("no_statement_timeout")
def test_round_trip_of_100_000_rows(owner: User) -> None:
    """What was imported is exported again, and what was exported can be imported."""
    with SessionLocal.begin() as db:
        target = create_random_note(db, owner_id=owner.id)
    rows = list(make_rows(100_000, target.id))
    header, exported = round_trip(owner, [FIELDS, *rows])
    assert only_fields(header, exported) == rows
    with SessionLocal.begin() as db:
        db.execute(text("TRUNCATE sample_note CASCADE"))
        target = create_random_note(db, owner_id=owner.id)
    for row in exported:
        row[header.index("next_id")] = row[header.index("next_id")] and str(target.id)
    header, again = round_trip(owner, [header, *exported[:1000]])
    assert only_fields(header, again) == only_fields(header, exported[:1000])


def round_trip(owner: User, table: list[Any]) -> tuple[list[str], list[list[str]]]:
    """Import the rows. Return the header and the rows of an export, without the first one."""
    content = io.StringIO()
    csv.writer(content).writerows(table)
    done, number = run_import(owner, content.getvalue()), len(table) - 1
    assert (done.result, done.progress, done.total) == (f"{number} rows", number, number)
    header, _, *rows = run_export(owner)
    return header, rows


def only_fields(header: list[str], rows: list[list[str]]) -> list[list[str]]:
    positions = [header.index(name) for name in FIELDS]
    return [[row[position] for position in positions] for row in rows]


def test_export_has_the_rows_of_the_list(owner: User) -> None:
    with SessionLocal.begin() as db:
        for title in ("b", "a", "other"):
            create_random_note(db, owner_id=owner.id, title=title, is_public=title != "other")
        create_random_note(db, title="of another user", is_public=True)
    header, *rows = run_export(owner, sort="title", is_public=True, limit=1, skip=1)
    assert header == list(crud_sample_note.fields)
    assert [row[header.index("title")] for row in rows] == ["a", "b"]
    assert rows[0][header.index("owner")] == owner.email


def test_export_without_rows_has_a_header(owner: User) -> None:
    assert run_export(owner) == [list(crud_sample_note.fields)]


@pytest.mark.parametrize("rows", resources.values(), ids=resources)
def test_imports_check_every_reference(rows: CRUDOwned[Any, Any, Any]) -> None:
    """The references of a resource are those of its create schema."""
    columns = rows.model.__table__.c
    fields = rows.create_schema.model_fields
    assert set(rows.references) == {name for name in fields if columns[name].foreign_keys}


@pytest.mark.parametrize("kind", [import_notes, export_notes])
def test_deactivated_users_get_nothing(owner: User, kind: JobKind[Any]) -> None:
    argument = upload("title\none\n") if kind is import_notes else {}
    job_id = enqueue(kind, owner, argument, owner.id)
    with SessionLocal.begin() as db:
        db.get_one(User, owner.id).is_active = False
    with pytest.raises(Exception, match="deleted or deactivated"):
        kind.task.run(job_id)
    assert notes(owner) == []


def test_user_deleted_during_the_import(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def delete_user(run: Run, done: int, total: int) -> None:
        with SessionLocal.begin() as db:
            db.execute(delete(User).where(User.id == owner.id))

    monkeypatch.setattr(Run, "progress", delete_user)
    job_id = enqueue(import_notes, owner, upload("title\none\n"), owner.id)
    with pytest.raises(Exception, match="The user was deleted"):
        import_notes.task.run(job_id)
    assert read_job(job_id).state == "failed"
    with SessionLocal() as db:
        assert db.scalar(select(func.count()).where(SampleNote.owner_id == owner.id)) == 0


@pytest.mark.parametrize("kind", [import_notes, export_notes])
def test_unavailable_file_store_is_tried_again(owner: User, kind: JobKind[Any]) -> None:
    argument = upload("title\none\n") if kind is import_notes else {}
    job_id = enqueue(kind, owner, argument, owner.id)
    with without_file_store(), pytest.raises(Retry):
        kind.task.run(job_id)
    assert (read_job(job_id).state, read_job(job_id).message) == (
        "queued",
        "The file store is unavailable",
    )
    kind.task.run(job_id)
    assert read_job(job_id).state == "succeeded"


def test_cancelled_export_leaves_a_usable_connection(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SessionLocal.begin() as db:
        for _ in range(3):
            create_random_note(db, owner_id=owner.id)
    job_id = enqueue(export_notes, owner, {}, owner.id)
    with monkeypatch.context() as context:
        context.setattr("app.csv_files.BATCH_ROWS", 2)
        context.setattr(Run, "progress", cancel)
        export_notes.task.run(job_id)
    assert len(run_export(owner)) == 4
