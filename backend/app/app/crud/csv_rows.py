"""Reads all rows of a list into a CSV file, and inserts the rows of one: with COPY."""

import io
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from psycopg2.extensions import cursor
from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    and_,
    cast,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.orm import Session

from app.core.files import Writable
from app.crud.base import CRUDBase, CRUDOwned
from app.crud.exceptions import OwnerGone, raise_on_violation
from app.db.base_class import unique_keys
from app.models.user import User
from app.schemas.page import PageQuery

# A spreadsheet would run a text that begins like this as a formula. An apostrophe in front of it
# prevents that. One that is already there gets another one, so that none is lost at the import.
FORMULA = "'*[=+@\t\r-]"


# The number of a line, and the values of its fields.
Line = tuple[int, Sequence[Any]]


class Violation(NamedTuple):
    """A value of a line that the database can't accept, and the code of the reason."""

    line: int
    field: str
    code: str


def count_rows(
    db: Session, rows: CRUDOwned[Any, Any, Any], query: PageQuery[Any], **filters: int
) -> int:
    _, total, parameters = rows.page_statements(query, **filters)
    return db.scalar(total, parameters) or 0


def write_rows(
    db: Session,
    rows: CRUDOwned[Any, Any, Any],
    query: PageQuery[Any],
    file: Writable,
    **filters: int,
) -> None:
    """Write all rows that the query finds, in its order. Each line is one call of `file.write`."""
    page, _, parameters = rows.page_statements(query, **filters)
    # Its own columns are in the order of the page, because a subquery keeps its order.
    found = page.limit(None).offset(None).subquery("found")
    columns = rows.model.__table__.c
    cells = [_cell(found.c[name], columns.get(name)).label(name) for name in rows.fields]
    compiled = select(*cells).params(parameters).compile(dialect=db.connection().dialect)
    expanded = compiled.construct_expanded_state()
    with _cursor(db) as copy:
        # COPY has no parameters, so the driver inserts them.
        rows_sql = copy.mogrify(expanded.statement, expanded.parameters).decode()
        copy.copy_expert(f"COPY ({rows_sql}) TO STDOUT (FORMAT csv, HEADER)", file)


def _cell(value: ColumnElement[Any], column: Column[Any] | None) -> ColumnElement[str]:
    """Return the value of a column as the API writes it, or the title of a reference."""
    if column is None:
        value = value.op("->>")("title")
    elif isinstance(column.type, DateTime):
        return func.to_char(value, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    elif not isinstance(column.type, String):
        return cast(value, Text)
    return func.regexp_replace(value, f"^({FORMULA})", r"'\1")


class Rows:
    """The rows of a file, to insert in batches.

    A temporary table holds a batch, so that one query checks all of its references and unique
    values. The transaction has to be rolled back if a batch has violations.
    """

    def __init__(
        self, db: Session, rows: CRUDOwned[Any, Any, Any], fields: Sequence[str], user: User
    ) -> None:
        self._db, self._rows, self._fields, self._user = db, rows, fields, user
        self._target = rows.model.__table__
        columns = [Column(name, self._target.c[name].type) for name in fields]
        self._batch = Table(
            "imported",
            MetaData(),
            Column("line", Integer),
            *columns,
            prefixes=["TEMPORARY"],
            postgresql_on_commit="DROP",
        )
        self._batch.create(db.connection())

    def insert(self, lines: Iterable[Line]) -> list[Violation]:
        """Insert the valid rows. Return the violations of the others. Raises OwnerGone."""
        data = io.StringIO("".join(_copy_line([line, *values]) for line, values in lines))
        with _cursor(self._db) as copy:
            copy.execute("TRUNCATE imported")
            copy.copy_expert("COPY imported FROM STDIN", data)
        found = [row for check in self._checks() for row in self._db.execute(check)]
        violations = sorted(Violation(*row) for row in found)
        self._insert_valid({violation.line for violation in violations})
        return violations

    def analyze(self) -> None:
        """Update the statistics of the table.

        If autovacuum has done so meanwhile, it did not see the rows. For a table that it found
        empty, PostgreSQL would plan joins whose time grows with the square of the rows.
        """
        self._db.execute(text(f'ANALYZE "{self._target.name}"'))

    def _insert_valid(self, excluded: Collection[int]) -> None:
        batch = self._batch
        columns = [batch.c[name] for name in self._fields]
        valid = select(*columns, literal(self._user.id)).order_by(batch.c.line)
        if excluded:
            valid = valid.where(batch.c.line.not_in(excluded))
        insertion = insert(self._target).from_select([*self._fields, "owner_id"], valid)
        with raise_on_violation(OwnerGone, f"fk_{self._target.name}_owner_id_user"):
            self._db.execute(insertion)

    def _checks(self) -> Iterable[Select[int, str, str]]:
        for name, target in self._rows.references.items():
            if name in self._fields:
                yield from self._unreadable(name, target)
        for key in unique_keys(self._target):
            if set(key) <= {*self._fields, "owner_id"} and set(key) != {"owner_id"}:
                yield from self._taken(key)

    def _violation(self, field: str, code: str) -> Select[int, str, str]:
        return select(self._batch.c.line, literal(field), literal(code))

    def _unreadable(
        self, name: str, rows: CRUDBase[Any, Any, Any]
    ) -> Iterable[Select[int, str, str]]:
        """Yield queries for the lines that refer to a row which the user can't read."""
        value, target = self._batch.c[name], rows.model.__table__
        filters = rows.readable_by(self._user)
        if filters is None:
            yield self._violation(name, "permission_denied").where(value.is_not(None))
            return
        found = select(target.c.id).where(target.c.id == value)
        yield self._violation(name, "not_found").where(value.is_not(None), ~found.exists())
        if filters:
            others = [target.c[column] != each for column, each in filters.items()]
            yield self._violation(name, "permission_denied").where(found.where(*others).exists())

    def _taken(self, key: Sequence[str]) -> Iterable[Select[int, str, str]]:
        """Yield queries for the lines whose values another line or row has."""
        batch = self._batch
        values = {
            name: literal(self._user.id) if name == "owner_id" else batch.c[name] for name in key
        }
        field = next(name for name in key if name != "owner_id")
        position = func.row_number().over(partition_by=list(values.values()), order_by=batch.c.line)
        given = and_(*(value.is_not(None) for value in values.values()))
        numbered = select(batch.c.line, position.label("position")).where(given).subquery()
        yield select(numbered.c.line, literal(field), literal("value_taken")).where(
            numbered.c.position > 1
        )
        same = [self._target.c[name] == value for name, value in values.items()]
        yield self._violation(field, "value_taken").where(
            select(self._target.c.id).where(*same).exists()
        )


def _copy_line(values: Iterable[Any]) -> str:
    return "\t".join(map(_copy_value, values)) + "\n"


def _copy_value(value: Any) -> str:
    """Return the value in the text format of COPY."""
    if value is None:
        return r"\N"
    escaped = str(value).replace("\\", r"\\").replace("\t", r"\t")
    return escaped.replace("\n", r"\n").replace("\r", r"\r")


def _cursor(db: Session) -> cursor:
    """Return a cursor of psycopg2, because SQLAlchemy has no COPY."""
    found = db.connection().connection.cursor()
    assert isinstance(found, cursor)
    return found
