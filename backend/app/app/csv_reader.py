"""Reads the rows of a CSV file, and names the problems of its lines: see docs/csv.md."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain, count
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError

from app.crud.base import CRUDOwned
from app.crud.csv_rows import FORMULA
from app.schemas.error import name_blank
from app.schemas.job import Problem

MAX_LINE_BYTES = 1024 * 1024
# A report repeats so many characters of a wrong value.
VALUE_LENGTH = 100
QUOTED_FORMULA = re.compile(f"'{FORMULA}")

MESSAGES = {
    "csv_empty": "The file is empty",
    "csv_archive": "The file is an archive or a spreadsheet. Save it as CSV.",
    "csv_not_utf8": "The file is not in UTF-8. Save it as CSV in UTF-8.",
    "csv_nul": "The line contains a NUL character",
    "csv_line_too_long": "The line is longer than 1 MiB",
    "csv_value_too_long": "A value is longer than 131072 characters. Is a quote not closed?",
    "csv_quote_not_closed": "A quote is opened and never closed",
    "csv_malformed": "The line is not valid CSV",
    "csv_column_missing": "The column is missing",
    "csv_column_repeated": "The column occurs twice",
    "csv_column_unknown": "There is no such column",
    "csv_number_of_values": "The line has {given} values instead of {expected}",
    "not_found": "Not found",
    "permission_denied": "Not enough permissions",
    "value_taken": "This value is already in use",
}


class Malformed(Exception):
    """The file or a line of it can't be read."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


def problem(line: int, code: str, field: str | None = None, value: str = "", **ctx: int) -> Problem:
    message = MESSAGES[code].format_map(ctx)
    return Problem(
        line=line, field=field, value=value[:VALUE_LENGTH], type=code, msg=message, ctx=ctx
    )


class RowParser:
    """Validates the rows of a file with the create schema of a resource.

    Raises Malformed if the header lacks a required column, or has one that is unknown or repeated.
    Columns that only an export has are ignored.
    """

    def __init__(self, rows: CRUDOwned[Any, Any, Any], header: Sequence[str]) -> None:
        self.fields = tuple(rows.create_schema.model_fields)
        self._names = [name.strip() for name in header]
        self._validate = TypeAdapter(rows.create_schema).validate_strings
        known = {*self.fields, *rows.fields}
        required = {
            name for name, field in rows.create_schema.model_fields.items() if field.is_required()
        }
        names = self._names
        wrong = {
            "csv_column_missing": [each for each in self.fields if each in required - {*names}],
            "csv_column_unknown": [each for each in names if each not in known],
            "csv_column_repeated": [each for each in {*names} if names.count(each) > 1],
        }
        if any(wrong.values()):
            raise Malformed(*(problem(1, code, each) for code in wrong for each in wrong[code]))

    def __call__(self, line: int, cells: Sequence[str]) -> Sequence[Any]:
        """Return the values of the fields. An empty cell has no value. Raises Malformed."""
        if len(cells) != len(self._names):
            given, expected = len(cells), len(self._names)
            raise Malformed(problem(line, "csv_number_of_values", given=given, expected=expected))
        texts = {
            name: cell[1:] if QUOTED_FORMULA.match(cell) else cell
            for name, cell in zip(self._names, cells, strict=True)
            if cell and name in self.fields
        }
        try:
            row = self._validate(texts)
        except ValidationError as error:
            raise Malformed(
                *(_of_validation(line, name_blank(dict(each)), texts) for each in error.errors())
            ) from error
        return [getattr(row, name) for name in self.fields]


def _of_validation(line: int, found: dict[str, Any], given: dict[str, str]) -> Problem:
    field = str(found["loc"][0]) if found["loc"] else None
    value = given.get(field or "", "")[:VALUE_LENGTH]
    limits = found.get("ctx", {})
    return Problem(
        line=line, field=field, value=value, type=found["type"], msg=found["msg"], ctx=limits
    )


def read_rows(file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line, and the cells, of each row. The first one is the header.

    The header decides between commas and semicolons. Raises Malformed.
    """
    lines = _read_lines(file)
    header = next(lines, "")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(chain([header], lines), delimiter=delimiter, strict=True)
    is_empty = True
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            raise Malformed(problem(line, _code_of(error))) from error
        if cells:
            is_empty = False
            yield line, cells
    if is_empty:
        raise Malformed(problem(1, "csv_empty"))


def _read_lines(file: BinaryIO) -> Iterator[str]:
    for number in count(1):
        line = file.readline(MAX_LINE_BYTES + 1)
        if not line:
            return
        if number == 1 and line.startswith(b"PK\x03\x04"):
            raise Malformed(problem(number, "csv_archive"))
        if len(line) > MAX_LINE_BYTES:
            raise Malformed(problem(number, "csv_line_too_long"))
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise Malformed(problem(number, "csv_not_utf8")) from error
        if "\0" in text:
            raise Malformed(problem(number, "csv_nul"))
        yield text


def _code_of(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return "csv_quote_not_closed"
    return "csv_value_too_long" if "field limit" in str(error) else "csv_malformed"
