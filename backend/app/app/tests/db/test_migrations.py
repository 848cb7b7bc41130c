import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.config import CommandLine
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.orm import Session

from app import crud
from app.core.config import settings
from app.db.base import Base
from app.db.migrations import newest_revisions
from app.db.session import engine
from app.tests.utils.database import new_database
from app.tests.utils.worker import BACKEND


@pytest.fixture
def empty_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An empty database. The settings contain its URL during the test."""
    url = engine.url.set(database=f"{engine.url.database}_empty")
    with new_database(url, engine.url):
        empty = create_engine(url)
        monkeypatch.setattr(
            settings, "SQLALCHEMY_DATABASE_URI", url.render_as_string(hide_password=False)
        )
        yield empty
        empty.dispose()


def run(*command: str, folder: Path = BACKEND) -> subprocess.Popen[str]:
    python = str(Path(sys.executable).parent)
    return subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ
        | {
            "SQLALCHEMY_DATABASE_URI": settings.SQLALCHEMY_DATABASE_URI,
            "PATH": f"{python}:{os.environ['PATH']}",
            "PYTHONPATH": str(folder),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str], status: int = 0) -> str:
    output, _ = process.communicate(timeout=180)
    assert process.returncode == status, output
    assert "Traceback" not in output
    return output


def alembic(*arguments: str, folder: Path = BACKEND) -> None:
    """Run Alembic in this process, which is faster than a new one. Raises SystemExit on errors."""
    CommandLine().main(["-c", str(folder / "alembic.ini"), *arguments])


def copy_without_revisions(folder: Path) -> Path:
    """Return a copy of the backend that has no revisions."""
    for name in ("app", "prestart.sh"):
        (folder / name).symlink_to(BACKEND / name)
    (folder / "alembic.ini").write_text((BACKEND / "alembic.ini").read_text())
    (folder / "scripts").symlink_to(BACKEND / "scripts")
    (folder / "alembic" / "versions").mkdir(parents=True)
    for name in ("env.py", "script.py.mako"):
        (folder / "alembic" / name).write_text((BACKEND / "alembic" / name).read_text())
    return folder


MODEL = """
from enum import StrEnum

from sqlalchemy import ARRAY, Enum
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base


class Status(StrEnum):
    NEW = "new"
    DONE = "done"


class Specimen(Base):
    {columns}
"""

REVISION = "revision --autogenerate -m Specimen"

# Run several commands in one process, because starting Alembic takes most of the time.
ALEMBIC = """
import sys
from alembic.config import CommandLine
for command in sys.argv[1:]:
    CommandLine().main(command.split())
"""


def copy_with_model(folder: Path, *columns: str) -> Path:
    """Return a copy of the backend with an additional model that has these columns."""
    shutil.copytree(BACKEND / "app", folder / "app", ignore=shutil.ignore_patterns("tests"))
    shutil.copytree(BACKEND / "alembic", folder / "alembic")
    for name in ("alembic.ini", "pyproject.toml"):
        shutil.copy(BACKEND / name, folder)
    (folder / "scripts").symlink_to(BACKEND / "scripts")
    model = MODEL.format(columns="\n    ".join(columns))
    (folder / "app" / "models" / "specimen.py").write_text(model)
    base = folder / "app" / "db" / "base.py"
    base.write_text("from app.models.specimen import Specimen\n" + base.read_text())
    return folder


def run_alembic_in(folder: Path, *commands: str) -> None:
    """Upgrade the database in a copy of the backend, and then run Alembic commands."""
    script = folder / "run_alembic.py"
    script.write_text(ALEMBIC)
    finish(run(sys.executable, str(script), "upgrade head", *commands, folder=folder))


def test_migrations_match_models(empty_database: Engine) -> None:
    alembic("upgrade", "head")
    alembic("check")


def test_migrations_have_a_single_head() -> None:
    assert len(newest_revisions()) == 1


def test_migrations_run_both_ways(empty_database: Engine) -> None:
    alembic("upgrade", "head")
    alembic("downgrade", "base")
    assert inspect(empty_database).get_table_names() == ["alembic_version"]
    alembic("upgrade", "head")
    assert set(Base.metadata.tables) < set(inspect(empty_database).get_table_names())


def test_concurrent_prestart_creates_one_superuser(empty_database: Engine) -> None:
    """Two replicas run prestart.sh at the same time."""
    replicas = [run("sh", "prestart.sh") for _ in range(2)]
    for replica in replicas:
        finish(replica)
    with empty_database.connect() as connection:
        users = connection.scalars(text('SELECT email FROM "user"')).all()
    assert users == [settings.FIRST_SUPERUSER]


def test_migrations_wait_for_each_other(empty_database: Engine) -> None:
    with empty_database.connect() as first, first.begin():
        first.execute(text("SELECT pg_advisory_xact_lock(2)"))
        second = run("alembic", "upgrade", "head")
        waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        deadline = time.monotonic() + 60
        while not first.scalar(waiting):
            assert second.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert inspect(empty_database).get_table_names() == []
    finish(second)
    assert "user" in inspect(empty_database).get_table_names()


@pytest.mark.parametrize("migrated", [False, True])
def test_new_first_revision_creates_all_tables(
    empty_database: Engine, tmp_path: Path, migrated: bool
) -> None:
    if migrated:
        alembic("upgrade", "head")
    folder = copy_without_revisions(tmp_path)
    alembic("revision", "--autogenerate", "-m", "First", folder=folder)
    (revision,) = (folder / "alembic" / "versions").glob("*.py")
    assert revision.read_text().count("op.create_table") == len(Base.metadata.tables)
    if not migrated:
        alembic("upgrade", "head", folder=folder)
        alembic("check", folder=folder)


@pytest.mark.usefixtures("empty_database")
def test_missing_revision_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copy_without_revisions(tmp_path)
    alembic("revision", "-m", "First", "--rev-id", "lost", folder=folder)
    alembic("upgrade", "head", folder=folder)
    with pytest.raises(SystemExit):
        alembic("upgrade", "head")
    assert "'lost'. The database is at this revision" in capsys.readouterr().out
    alembic("stamp", "--purge", "base")
    alembic("upgrade", "head")


def test_missing_tables_are_reported(empty_database: Engine, tmp_path: Path) -> None:
    folder = copy_without_revisions(tmp_path)
    assert "create a first revision" in finish(run("sh", "prestart.sh", folder=folder))


def test_create_all_works_without_migrations(empty_database: Engine) -> None:
    """The commented-out line in init_db.py works when it is un-commented."""
    source = (BACKEND / "app/db/init_db.py").read_text()
    line = "    # Base.metadata.create_all(bind=engine)"
    assert source.count(line) == 1
    source = source.replace(line, line.replace("# ", ""))
    with Session(empty_database) as db:
        program = compile(source, "init_db.py", "exec")
        names: dict[str, Any] = {"__name__": "init_db"}
        exec(program, names)
        names["engine"] = empty_database
        names["init_db"](db)
        assert crud.user.get_by_email(db, email=settings.FIRST_SUPERUSER) is not None


def test_migration_normalises_emails(
    empty_database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Imported emails may be in other forms. Accounts with the same email are reported."""
    emails = [
        "Joe@Example.com",
        "u@xn--strae-oqa.de",
        "anna@example.com",
        "Anna@Example.com",
        "Two@Example.com",
        "TWO@example.com",
        "no address",
    ]
    alembic("upgrade", "d4867f3a4c0a")
    with empty_database.begin() as connection:
        for email in emails:
            connection.execute(
                text(
                    'INSERT INTO "user" (email, hashed_password, is_active, is_superuser)'
                    " VALUES (:email, '', true, false)"
                ),
                {"email": email},
            )
    alembic("upgrade", "head")
    with empty_database.connect() as connection:
        stored = connection.scalars(text('SELECT email FROM "user" ORDER BY id')).all()
    assert stored == [
        "joe@example.com",
        "u@straße.de",
        "anna@example.com",
        "Anna@Example.com",
        "two@example.com",
        "TWO@example.com",
        "no address",
    ]
    log = capsys.readouterr().err
    assert "user 4 has the same address as user 3, anna@example.com" in log
    assert "user 6 has the same address as user 5, two@example.com" in log
    assert "user 7 has no valid address" in log


def test_offline_migrations_print_sql(capsys: pytest.CaptureFixture[str]) -> None:
    alembic("upgrade", "head", "--sql")
    assert 'CREATE TABLE "user"' in capsys.readouterr().out


@pytest.mark.usefixtures("empty_database")
def test_multiple_heads_are_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copy_without_revisions(tmp_path)
    alembic("revision", "-m", "Base", "--rev-id", "start", folder=folder)
    for head in ("one", "two"):
        options = ["--rev-id", head, "--head=start", "--splice"]
        alembic("revision", "-m", "Head", *options, folder=folder)
    with pytest.raises(SystemExit):
        alembic("upgrade", "head", folder=folder)
    assert "alembic merge heads" in capsys.readouterr().out
    alembic("merge", "heads", "-m", "Merge", folder=folder)
    finish(run("ruff", "check", *map(str, folder.rglob("*_merge.py")), folder=folder))


def test_enum_columns_migrate_both_ways(empty_database: Engine, tmp_path: Path) -> None:
    folder = copy_with_model(
        tmp_path,
        "plain: Mapped[Status]",
        "optional: Mapped[Status | None]",
        "named: Mapped[Status] = mapped_column(Enum(Status, name='named_status'))",
        "text: Mapped[Status] = mapped_column(Enum(Status, native_enum=False))",
        "values: Mapped[str] = mapped_column(Enum('new', 'done', name='specimen_values'))",
        "list: Mapped[list[Status]] = mapped_column(ARRAY(Enum(Status)))",
    )
    run_alembic_in(folder, REVISION, "upgrade head", "downgrade -1", "upgrade head", "check")


def test_unrelated_tables_are_ignored(empty_database: Engine) -> None:
    """PostGIS or an administrator, for example, may have created other tables."""
    alembic("upgrade", "head")
    with empty_database.begin() as connection:
        connection.execute(text("CREATE TABLE spatial_ref_sys (srid integer PRIMARY KEY)"))
        connection.execute(text("CREATE INDEX ix_of_others ON spatial_ref_sys (srid)"))
        connection.execute(text('CREATE TABLE notes (id serial, user_id int REFERENCES "user")'))
        connection.execute(text("CREATE TYPE mood AS ENUM ('good')"))
        connection.execute(text("CREATE TABLE diary (mood mood)"))
    alembic("check")


def test_new_first_revision_creates_enum_types(empty_database: Engine, tmp_path: Path) -> None:
    folder = copy_with_model(tmp_path, "status: Mapped[Status]")
    run_alembic_in(folder, REVISION, "upgrade head")
    for revision in (folder / "alembic" / "versions").glob("*.py"):
        revision.unlink()
    script = folder / "run_alembic.py"
    finish(run(sys.executable, str(script), REVISION, folder=folder))
    with empty_database.begin() as connection:
        for statement in ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public"):
            connection.execute(text(statement))
    run_alembic_in(folder, "check")


def test_renamed_table_of_removed_model_is_dropped(empty_database: Engine, tmp_path: Path) -> None:
    folder = copy_with_model(tmp_path, "name: Mapped[str]")
    run_alembic_in(folder, REVISION, "revision -m Rename")
    (rename,) = (folder / "alembic" / "versions").glob("*_rename.py")
    upgrade = 'op.rename_table("specimen", "old_specimen")'
    rename.write_text(rename.read_text().replace("    pass", f"    {upgrade}", 1))
    (folder / "app" / "db" / "base.py").write_text((BACKEND / "app/db/base.py").read_text())
    run_alembic_in(folder, "revision --autogenerate -m Without")
    (without,) = (folder / "alembic" / "versions").glob("*_without.py")
    assert 'op.drop_table("old_specimen")' in without.read_text()


def test_table_of_removed_model_is_dropped(empty_database: Engine, tmp_path: Path) -> None:
    folder = copy_with_model(tmp_path, "name: Mapped[str]")
    run_alembic_in(folder, REVISION, "upgrade head")
    (folder / "app" / "db" / "base.py").write_text((BACKEND / "app/db/base.py").read_text())
    run_alembic_in(folder, REVISION)
    newest = max((folder / "alembic" / "versions").glob("*_specimen.py"), key=os.path.getmtime)
    upgrade = newest.read_text().partition("def downgrade")[0]
    assert 'op.drop_table("specimen")' in upgrade
    assert upgrade.count("op.") == 1


def test_generated_revision_passes_lint(empty_database: Engine, tmp_path: Path) -> None:
    column = "a_rather_long_name: Mapped[str] = mapped_column(index=True)"
    folder = copy_with_model(tmp_path, column)
    run_alembic_in(folder, REVISION)
    finish(run("ruff", "check", "alembic/versions", folder=folder))
    finish(run("ruff", "format", "--check", "alembic/versions", folder=folder))


@pytest.mark.parametrize("cause", ["POSTGRES_PASSWORD", "POSTGRES_DB"])
def test_permanent_errors_fail_fast(
    empty_database: Engine, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    url = empty_database.url
    wrong = url.set(password="x") if cause == "POSTGRES_PASSWORD" else url.set(database="x")
    monkeypatch.setattr(
        settings, "SQLALCHEMY_DATABASE_URI", wrong.render_as_string(hide_password=False)
    )
    assert cause in finish(run(sys.executable, "-m", "app.backend_pre_start"), status=1)
