import os
import subprocess
import sys
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
from app.tests.utils.worker import BACKEND


@pytest.fixture
def empty_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Another database on the same server, which the settings name during the test."""
    url = engine.url.set(database=f"{engine.url.database}_empty")
    server = create_engine(engine.url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{url.database}"'))
        empty = create_engine(url)
        monkeypatch.setattr(
            settings, "SQLALCHEMY_DATABASE_URI", url.render_as_string(hide_password=False)
        )
        yield empty
        empty.dispose()
        connection.execute(text(f'DROP DATABASE "{url.database}" WITH (FORCE)'))
    server.dispose()


def run(*command: str, folder: Path = BACKEND) -> subprocess.Popen[str]:
    python = str(Path(sys.executable).parent)
    return subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ
        | {
            "SQLALCHEMY_DATABASE_URI": settings.SQLALCHEMY_DATABASE_URI,
            "PATH": f"{python}:{os.environ['PATH']}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str], status: int = 0) -> str:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == status, output
    assert "Traceback" not in output
    return output


def alembic(*arguments: str, folder: Path = BACKEND) -> None:
    """Run alembic's command line, which exits when it fails; in this process, to be quick."""
    CommandLine().main(["-c", str(folder / "alembic.ini"), *arguments])


def copy_without_revisions(folder: Path) -> Path:
    """Return a copy of the project as somebody has it who starts with models of their own."""
    for name in ("app", "prestart.sh"):
        (folder / name).symlink_to(BACKEND / name)
    (folder / "alembic.ini").write_text((BACKEND / "alembic.ini").read_text())
    (folder / "scripts").symlink_to(BACKEND / "scripts")
    (folder / "alembic" / "versions").mkdir(parents=True)
    for name in ("env.py", "script.py.mako"):
        (folder / "alembic" / name).write_text((BACKEND / "alembic" / name).read_text())
    return folder


def test_models_and_migrations_agree(empty_database: Engine) -> None:
    alembic("upgrade", "head")
    alembic("check")


def test_there_is_one_newest_revision() -> None:
    assert len(newest_revisions()) == 1


def test_up_down_up(empty_database: Engine) -> None:
    alembic("upgrade", "head")
    alembic("downgrade", "base")
    assert inspect(empty_database).get_table_names() == ["alembic_version"]
    alembic("upgrade", "head")
    assert set(Base.metadata.tables) < set(inspect(empty_database).get_table_names())


def test_two_replicas_start_at_once(empty_database: Engine) -> None:
    """Each runs prestart.sh; the classic's second one failed."""
    replicas = [run("sh", "prestart.sh") for _ in range(2)]
    for replica in replicas:
        finish(replica)
    with empty_database.connect() as connection:
        users = connection.scalars(text('SELECT email FROM "user"')).all()
    assert users == [settings.FIRST_SUPERUSER]


@pytest.mark.parametrize("migrated", [False, True])
def test_start_over_with_a_first_revision(
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
def test_lost_revision_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copy_without_revisions(tmp_path)
    alembic("revision", "-m", "First", "--rev-id", "lost", folder=folder)
    alembic("upgrade", "head", folder=folder)
    with pytest.raises(SystemExit):
        alembic("upgrade", "head")
    assert "'lost'. The database is at it, but alembic/versions lacks" in capsys.readouterr().out
    alembic("stamp", "--purge", "base")
    alembic("upgrade", "head")


def test_start_without_tables_says_so(empty_database: Engine, tmp_path: Path) -> None:
    folder = copy_without_revisions(tmp_path)
    assert "create a first revision" in finish(run("sh", "prestart.sh", folder=folder))


def test_tables_without_migrations(empty_database: Engine) -> None:
    """The line in init_db.py works once it is un-commented; in the classic it was a NameError."""
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


@pytest.mark.parametrize("cause", ["POSTGRES_PASSWORD", "POSTGRES_DB"])
def test_what_waiting_does_not_mend_is_said_at_once(
    empty_database: Engine, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    url = empty_database.url
    wrong = url.set(password="x") if cause == "POSTGRES_PASSWORD" else url.set(database="x")
    monkeypatch.setattr(
        settings, "SQLALCHEMY_DATABASE_URI", wrong.render_as_string(hide_password=False)
    )
    assert cause in finish(run(sys.executable, "-m", "app.backend_pre_start"), status=1)
