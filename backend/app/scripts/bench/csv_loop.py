"""A plain loop that does the same as an import or an export, without a request, Celery and a job.

Prints its seconds: csv_loop.py import|export FILE USER
"""

import csv
import io
import os
import sys
import time
from typing import Annotated

import psycopg2
from psycopg2.extensions import connection
from pydantic import BaseModel, StringConstraints, TypeAdapter

from app.schemas.types import NOT_BLANK


class Row(BaseModel):
    """The same as ItemCreate, which a project may have removed."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NOT_BLANK)]
    description: Annotated[str, StringConstraints(max_length=10_000, pattern=NOT_BLANK)] | None = (
        None
    )


def import_items(database: connection, path: str, user: str) -> None:
    validate = TypeAdapter(Row).validate_strings
    output = io.StringIO()
    writer = csv.writer(output)
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123
        for row in csv.DictReader(file):
            item = validate(row)
            writer.writerow([item.title, item.description, user])
    output.seek(0)
    with database.cursor() as cursor:
        cursor.copy_expert("COPY item (title, description, owner_id) FROM STDIN CSV", output)


def export_items(database: connection, path: str, user: str) -> None:
    query = f'SELECT item.*, email FROM item JOIN "user" ON "user".id = owner_id WHERE owner_id = {int(user)}'  # noqa: E501
    with open(path, "wb") as file, database.cursor() as cursor:  # noqa: PTH123
        cursor.copy_expert(f"COPY ({query} ORDER BY item.id) TO STDOUT CSV HEADER", file)


if __name__ == "__main__":
    how, path, user = sys.argv[1:]
    with psycopg2.connect(os.environ["BENCH_DATABASE"]) as database:
        start = time.perf_counter()
        (import_items if how == "import" else export_items)(database, path, user)
        database.commit()
        print(time.perf_counter() - start)
