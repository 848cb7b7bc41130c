"""Fill the development database with sample data: python -m app.seed --users 50 --rows 1000"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice, repeat
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import Column, Table, func, insert, select
from sqlalchemy.orm import Session

from app.core.config import settings
from app.core.security import get_password_hash
from app.db.base import Base
from app.db.base_class import unique_keys
from app.db.session import SessionLocal
from app.models.user import User
from app.sample_values import SampleValues, create_schema, is_optional

PASSWORD = "seed-password"  # noqa: S105  # published: only for development
# A table counts as full when so many rows in succession repeat a unique value.
MAX_REJECTED = 100

Row = dict[str, Any]
Ids = dict[int | None, list[int]]


def fill(db: Session, rows: Iterator[Row], table: Table, number: int) -> int:
    """Insert the number of rows, or fewer if unique values run out. Return the number."""
    inserted = 0
    rows = islice(distinct_rows(db, rows, table), number)
    while batch := list(islice(rows, 5000)):
        db.execute(insert(table), batch)
        inserted += len(batch)
    return inserted


def distinct_rows(db: Session, rows: Iterator[Row], table: Table) -> Iterator[Row]:
    """Leave out rows that repeat a unique value of another row or of the database."""
    keys = unique_keys(table)
    seen = [{tuple(row) for row in db.execute(select(*(table.c[n] for n in key)))} for key in keys]
    rejected = 0
    for row in rows:
        values = [tuple(row.get(name) for name in key) for key in keys]
        if any(None not in each and each in old for each, old in zip(values, seen, strict=True)):
            rejected += 1
            if rejected == MAX_REJECTED:
                return
        else:
            rejected = 0
            for each, old in zip(values, seen, strict=True):
                old.add(each)
            yield row


def user_rows(values: SampleValues) -> Iterator[Row]:
    hashed_password = get_password_hash(PASSWORD)
    for number in count():
        yield {
            **values.person(),
            "hashed_password": hashed_password,
            "is_active": number % 10 != 9,
            **values.timestamps(),
        }


def resource_rows(
    db: Session, values: SampleValues, table: Table, schema: type[BaseModel], users: Sequence[int]
) -> Iterator[Row]:
    """Yield rows without end. A row refers only to rows that its owner may read."""
    owned = "owner_id" in table.c
    owners: Sequence[int | None] = users if owned else [None]
    makers = values.makers(schema, table)
    targets: dict[str, Ids] = {}
    for column in table.c:
        if column.foreign_keys and column.name != "owner_id":
            targets[column.name] = ids = target_ids(db, column, owners)
            if not is_optional(column, schema):
                owners = [owner for owner in owners if ids[owner]]
    if not owners:
        sys.exit(f"The table {table.name} requires rows of a table that has none")
    # Give the first user a row of every table, so that at least this user can own any row.
    for owner in chain(owners[:1], map(values.random.choice, repeat(owners))):
        row = {name: make() for name, make in makers.items()}
        for name, ids in targets.items():
            optional = not ids[owner] or (is_optional(table.c[name], schema) and values.omit())
            row[name] = None if optional else values.random.choice(ids[owner])
        try:
            row |= schema.model_validate(row).model_dump()
        except ValidationError as error:
            problem = error.errors()[0]
            sys.exit(f"Cannot make {schema.__name__}.{problem['loc'][0]}: {problem['msg']}")
        yield row | ({"owner_id": owner} if owned else {}) | values.timestamps()


def target_ids(db: Session, column: Column[Any], owners: Sequence[int | None]) -> Ids:
    """Return the ids of rows to which the column may refer, by owner of the referring row."""
    (key,) = column.foreign_keys
    target = key.column.table
    ids: Ids = defaultdict(list)
    if target is column.table:
        return ids
    if "owner_id" not in target.c or owners == [None]:
        readable = list(db.scalars(select(key.column).order_by(key.column)))
        return {owner: readable for owner in owners}  # noqa: C420  # all owners share the list
    statement = select(target.c.owner_id, key.column).where(target.c.owner_id.in_(owners))
    for owner, row_id in db.execute(statement.order_by(key.column)):
        ids[owner].append(row_id)
    return ids


def seed(db: Session, *, users: int, rows: int, random_seed: int) -> None:
    """Write users and rows of every resource that has a create schema. Print what was written."""
    last_id = db.scalar(select(func.max(User.id))) or 0
    # Another run draws other values, so that its emails are new.
    values = SampleValues(f"{random_seed} {last_id}")
    start = time.monotonic()
    total = fill(db, user_rows(values), Base.metadata.tables["user"], users)
    new_users = db.scalars(select(User).where(User.id > last_id).order_by(User.id)).all()
    models = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    for table in Base.metadata.sorted_tables:
        schema = create_schema(models[table]) if table in models else None
        if schema and table.name != "user":
            new_rows = resource_rows(db, values, table, schema, [user.id for user in new_users])
            total += (written := fill(db, new_rows, table, rows))
            print(f"{table.name}: {written} rows")
    seconds = time.monotonic() - start
    print(f"{users} users. Log in as {new_users[0].email} with the password {PASSWORD}")
    print(f"{total} rows in {seconds:.1f} s: {total / seconds:.0f} rows/s")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m app.seed", description=__doc__)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--rows", type=int, default=1000, help="rows of each resource")
    parser.add_argument("--random-seed", type=int, default=0)
    options = vars(parser.parse_args(arguments))
    if options["users"] < 1 or options["rows"] < 0:
        parser.error("--users must be at least 1, and --rows at least 0")
    if settings.ENVIRONMENT != "development":
        sys.exit(f"Sample data is only for development, but ENVIRONMENT is {settings.ENVIRONMENT}")
    with SessionLocal.begin() as db:
        seed(db, **options)


if __name__ == "__main__":
    main()
