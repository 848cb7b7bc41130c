import re
from logging.config import fileConfig
from pathlib import Path

import alembic_postgresql_enum
from alembic.util import CommandError
from alembic_postgresql_enum import compare_dispatch
from sqlalchemy import Enum, create_engine, func, pool, select

from alembic import context
from app.core.config import settings
from app.db import errors  # noqa: F401  # listens to every engine
from app.db.base import Base

# The number of an advisory lock, unique in this project.
MIGRATION_LOCK = 2

# Advice for Alembic's errors. A key is a part of the error message.
ADVICE = {
    "Can't locate revision": (
        "The database is at this revision, but its file is missing from alembic/versions. "
        "Restore the file, or start over with an empty database (down -v)."
    ),
    "Multiple head revisions": (
        'Two Git branches each added a revision. Merge them: alembic merge heads -m "Merge"'
    ),
}

# Patterns for the names of tables and enum types in the source of a revision.
TABLES = re.compile(r"""(?:create|rename)_table\(\s*["'](\w+)["'](?:,\s*["'](\w+)["'])?""")
ENUMS = re.compile(r"""Enum\([^()]*?name=["'](\w+)["']""")

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)


def names_in_revisions(pattern: re.Pattern[str]) -> set[str]:
    scripts = (Path(script.path).read_text() for script in context.script.walk_revisions())
    return {name for text in scripts for found in pattern.finditer(text) for name in found.groups()}


def enums_in_models() -> set[str]:
    columns = (column.type for table in Base.metadata.tables.values() for column in table.columns)
    types = (getattr(each, "item_type", each) for each in columns)
    return {each.name for each in types if isinstance(each, Enum) and each.name}


def run_migrations_offline() -> None:
    """Print the SQL of the migrations: alembic upgrade head --sql."""
    context.configure(
        url=settings.SQLALCHEMY_DATABASE_URI,
        target_metadata=Base.metadata,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
    )
    with context.begin_transaction():
        context.run_migrations()


def run_migrations_online() -> None:
    # The URL is not passed through alembic.ini: a % in the password would be read as a variable.
    engine = create_engine(settings.SQLALCHEMY_DATABASE_URI, poolclass=pool.NullPool)
    with engine.connect() as connection:
        revisions = {script.revision for script in context.script.walk_revisions()}
        # Ignore tables that no model and no revision defines, such as those of an extension.
        tables = names_in_revisions(TABLES) | set(Base.metadata.tables)
        enums = names_in_revisions(ENUMS) | enums_in_models()
        alembic_postgresql_enum.set_configuration(
            alembic_postgresql_enum.Config(include_name=enums.__contains__)
        )
        if not revisions:
            # Without revisions, find no enum types in the database. The library has no setting
            # for this.
            compare_dispatch.get_defined_enums = lambda *_: {}  # type: ignore[attr-defined]
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            # Without revisions, treat the database as empty. A developer can then delete all
            # revision files to start over.
            include_name=lambda name, kind, _: (
                bool(revisions) and (kind != "table" or name in tables)
            ),
            version_table_schema=None if revisions else "pg_temp",
        )
        with context.begin_transaction():
            # If several replicas start at once, one migrates. The others wait, then do nothing.
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            try:
                context.run_migrations()
            except CommandError as error:
                for text, advice in ADVICE.items():
                    if text in str(error):
                        raise CommandError(f"{error}. {advice}") from error
                raise


if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
