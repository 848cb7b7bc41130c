"""Files that are made from the code: formatted sources, revisions, the schema of the API and its client."""

import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from alembic.script import ScriptDirectory

import db
import node
from settings import last_error
from workspace import Folder, Invalid

BACKEND = "backend/app"
VERSIONS = f"{BACKEND}/alembic/versions"


def _run(command: list[str], folder: Path, env: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode:
        output = done.stdout + done.stderr
        raise Invalid(f"{' '.join(command[:4])} failed: {last_error(output)}\n{output[-3000:]}Nothing was changed.")
    return done.stdout


def _python_env() -> dict[str, str]:
    """Return an environment in which the programs of the packages are found."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def format_files(copy: Folder, paths: Iterable[str]) -> None:
    """Format the files as lint expects them. The templates import whatever a field may need."""
    paths = [path for path in paths if (copy.folder / path).exists()]
    python = [path for path in paths if path.endswith(".py")]
    if python:
        settings = ["--config", f"{BACKEND}/pyproject.toml", "--quiet"]
        for command in (["check", "--fix", "--exit-zero"], ["format"]):
            _run(["ruff", *command, *settings, *python], copy.folder, _python_env())
    web = [str(copy.folder / path) for path in paths if path.startswith("frontend/")]
    if web:
        prettier = ["node", "node_modules/prettier/bin/prettier.cjs", "--write", "--log-level", "warn"]
        _run([*prettier, *web], copy.folder / "frontend", _node_env())


def _node_env() -> dict[str, str]:
    return {**os.environ, **node.env(os.environ)}


def make_client(copy: Folder) -> None:
    _run([sys.executable, "scripts/export_openapi.py"], copy.folder / BACKEND, _python_env())
    _run(["npm", "run", "--silent", "generate-client"], copy.folder / "frontend", _node_env())


# Runs Alembic's commands in one process, because each start takes a second.
ALEMBIC = """
import shlex, sys
from alembic.config import main
for arguments in sys.argv[1:]:
    main(argv=shlex.split(arguments))
"""


def make_revision(copy: Folder, message: str) -> str | None:
    """Write a revision for the changes of the models. Return its path, or None if nothing has changed."""
    before = set((copy.folder / VERSIONS).glob("*.py"))
    with _empty_database() as env:
        _alembic(copy, env, "upgrade head", f"revision --autogenerate -m '{message}'")
        (file,) = set((copy.folder / VERSIONS).glob("*.py")) - before
        if "op." not in file.read_text().partition("def upgrade")[2].partition("def downgrade")[0]:
            file.unlink()
            return None
        _alembic(copy, env, "upgrade head", "check")
    return str(file.relative_to(copy.folder))


def join_heads(copy: Folder) -> str | None:
    """Write a revision that merges several heads. Return its path, or None if there is only one head."""
    before = set((copy.folder / VERSIONS).glob("*.py"))
    if len(_revisions(copy).get_heads()) <= 1:
        return None
    _alembic(copy, _python_env(), "merge heads -m 'Merge the revisions of the template'")
    (file,) = set((copy.folder / VERSIONS).glob("*.py")) - before
    return str(file.relative_to(copy.folder))


def check_migration(copy: Folder, known: Collection[str]) -> None:
    """Migrate a database with the revisions in the `known` files to all revisions. Raises Invalid."""
    revisions = [each for each in _revisions(copy).walk_revisions() if Path(each.path).name in known]
    followed = {down for each in revisions for down in _as_tuple(each.down_revision)}
    current = [each.revision for each in revisions if each.revision not in followed]
    with _empty_database() as env:
        _alembic(copy, env, *(f"upgrade {each}" for each in current), "upgrade head", "check")


def _revisions(copy: Folder) -> ScriptDirectory:
    return ScriptDirectory(str(copy.folder / BACKEND / "alembic"))


def _as_tuple(value: str | Sequence[str] | None) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value or ()


def _alembic(copy: Folder, env: Mapping[str, str], *commands: str) -> None:
    _run([sys.executable, "-c", ALEMBIC, *commands], copy.folder / BACKEND, env)


@contextmanager
def _empty_database() -> Iterator[dict[str, str]]:
    """Yield the environment for Alembic, with an empty database."""
    with db.temporary_server() as address:
        yield {
            **_python_env(),
            "PYTHONPATH": ".",
            "ENVIRONMENT": "development",
            "PROJECT_NAME": "unused",
            "SERVER_NAME": "localhost",
            "SERVER_HOST": "http://localhost",
            "SECRET_KEY": "unused",
            "POSTGRES_SERVER": "unused",
            "POSTGRES_USER": "unused",
            "POSTGRES_PASSWORD": "unused",
            "POSTGRES_DB": "unused",
            "SQLALCHEMY_DATABASE_URI": address,
            "REDIS_URL": "redis://unused",
            "FIRST_SUPERUSER": "unused@example.com",
            "FIRST_SUPERUSER_PASSWORD": "unused password",
        }
