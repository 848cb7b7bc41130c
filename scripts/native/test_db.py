"""The database's passwords and application role. Each test creates its own data."""

import secrets
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import psycopg2
import pytest
from psycopg2 import sql

import db
from environment import environment

OLD_PASSWORD = "changethis"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, path in {"FOLDER": "db", "NEW": "db.new", "MARK": "db/native-setup"}.items():
        monkeypatch.setattr(db, name, tmp_path / path)


@pytest.fixture
def env() -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = {"POSTGRES_SERVER": "127.0.0.1", "POSTGRES_PORT": str(free.getsockname()[1])}
    names = ("POSTGRES_PASSWORD", "POSTGRES_SUPERUSER_PASSWORD")
    passwords = {name: secrets.token_hex() for name in names}
    return {**environment(), **address, **passwords, "POSTGRES_USER": "app", "POSTGRES_DB": "app"}


def make_old_data(env: dict[str, str], superuser: str) -> None:
    """Create a database as older versions did: POSTGRES_USER is the superuser and owns the tables."""
    db.FOLDER.mkdir(mode=0o700)
    db._give_to_server(db.FOLDER)
    with db._private_folder() as folder:
        file = folder / "password"
        file.write_text(OLD_PASSWORD)
        options = ["--auth=scram-sha-256", f"--pwfile={db._give_to_server(file)}", f"--username={superuser}"]
        subprocess.run([*db._server("initdb"), *options], cwd=db.FOLDER, check=True, capture_output=True)
    old = {**env, "POSTGRES_USER": superuser, "POSTGRES_PASSWORD": OLD_PASSWORD}
    with running(old):
        run(old, superuser, "postgres", f"CREATE DATABASE {env['POSTGRES_DB']}")
        run(old, superuser, "app", "CREATE TABLE note (id serial PRIMARY KEY, title text)")
        run(old, superuser, "app", "INSERT INTO note (title) VALUES ('an old note')")


@contextmanager
def running(env: dict[str, str]) -> Iterator[None]:
    network = [f"--port={env['POSTGRES_PORT']}", "--listen_addresses=127.0.0.1", "--unix_socket_directories="]
    log = db.FOLDER.with_name("log")
    with log.open("w") as output:
        server = subprocess.Popen([*db._server("postgres"), *network], cwd=db.FOLDER, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 30
        while "ready to accept" not in log.read_text():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait()


def run(env: dict[str, str], user: str, name: str, statement: str) -> list[tuple[object, ...]]:
    with closing(db._connect(env, user, name)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(sql.SQL(statement))
        return cursor.fetchall() if cursor.description else []


def check_roles(env: dict[str, str]) -> None:
    """Check that both roles have their new passwords, and that the application's role is not a superuser."""
    roles = {"postgres": "POSTGRES_SUPERUSER_PASSWORD", env["POSTGRES_USER"]: "POSTGRES_PASSWORD"}
    for role, name in roles.items():
        login = {**env, "POSTGRES_PASSWORD": env[name]}
        select = "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        assert run(login, role, "app", select) == [(role == "postgres", True)]
        for password in (OLD_PASSWORD, "", "postgres"):
            with pytest.raises(psycopg2.OperationalError, match=r"password authentication failed|no password supplied"):
                db._connect({**env, "POSTGRES_PASSWORD": password}, role, "app")


def test_new_database_is_set_up(env: dict[str, str]) -> None:
    db.prepare(env)
    with running(env):
        check_roles(env)
        run(env, "app", "app", "CREATE TABLE note (id serial)")


@pytest.mark.parametrize("superuser", ["postgres", "app", "Shop owner"])
def test_data_of_older_version_is_upgraded(env: dict[str, str], superuser: str) -> None:
    """The upgrade also works if POSTGRES_USER does not have its default value."""
    env["POSTGRES_USER"] = "app" if superuser == "postgres" else superuser
    make_old_data(env, superuser)
    db.prepare(env)
    with running(env):
        check_roles(env)
        assert run(env, env["POSTGRES_USER"], "app", "SELECT * FROM note") == [(1, "an old note")]
        run(env, env["POSTGRES_USER"], "app", "ALTER TABLE note ADD COLUMN owner text")
        assert run(env, env["POSTGRES_USER"], "app", "SELECT rolname FROM pg_roles WHERE rolsuper") == [("postgres",)]


@pytest.mark.parametrize("name", ["shop", "Postgres", "Shop owner's"])
def test_changed_user_name_keeps_the_data(env: dict[str, str], name: str) -> None:
    db.prepare(env)
    with running(env):
        run(env, "app", "app", "CREATE TABLE note (id serial PRIMARY KEY, title text)")
        run(env, "app", "app", "INSERT INTO note (title) VALUES ('an old note')")
        run(env, "app", "app", "CREATE TYPE colour AS ENUM ('red')")
    for user in (name, "app"):
        db.prepare(env | {"POSTGRES_USER": user})
        with running(env):
            assert run(env, user, "app", "SELECT title FROM note") == [("an old note",)]
            run(env, user, "app", f'ALTER TABLE note ADD COLUMN "{user}" text')
            run(env, user, "app", "ALTER TYPE colour ADD VALUE IF NOT EXISTS 'blue'")


def test_unknown_superuser_is_reported(env: dict[str, str]) -> None:
    make_old_data(env, "somebody")
    with pytest.raises(
        SystemExit, match=r"created with another POSTGRES_USER than the one in \.env: restore the original value"
    ):
        db.prepare(env)


@pytest.mark.parametrize("password", ["plain", 'it\'s $HOME \\ "%" é', "x" * 200])
def test_changed_passwords_are_set(env: dict[str, str], password: str) -> None:
    db.prepare(env)
    for name in ("POSTGRES_PASSWORD", "POSTGRES_SUPERUSER_PASSWORD"):
        db.prepare(env | {name: password})
        with running(env):
            check_roles(env | {name: password})


def test_other_program_on_the_port_gets_no_password(env: dict[str, str]) -> None:
    """While the server is down, another user's program may listen on its port and request the password."""
    received = []

    def ask(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.settimeout(10)
            while (data := connection.recv(4096)) and not data.startswith(b"p"):
                received.append(data)
                # First reply "no TLS", and then "send the password".
                connection.sendall(b"N" if len(data) == 8 else struct.pack("!cii", b"R", 8, 3))
            received.append(data)

    clients: dict[str, Callable[[], object]] = {
        "native.sh": lambda: db._connect(env, "app", "app"),
        "a service": lambda: subprocess.run(
            [sys.executable, "-c", "import psycopg2; psycopg2.connect('')"],
            env={**env, **db.client_env(env)},
            check=True,
            capture_output=True,
        ),
    }
    for client in clients.values():
        with socket.create_server(("127.0.0.1", int(env["POSTGRES_PORT"]))) as server:
            thread = Thread(target=ask, args=[server])
            thread.start()
            with pytest.raises((psycopg2.OperationalError, subprocess.CalledProcessError)):
                client()
            thread.join()
    assert any(b"database" in each for each in received)
    assert not [each for each in received if env["POSTGRES_PASSWORD"].encode() in each]


def test_existing_database_is_not_set_up_again(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    db.prepare(env)
    monkeypatch.delattr(db, "_set_up")
    began = time.monotonic()
    db.prepare(env)
    assert time.monotonic() - began < 0.5


def test_failing_statement_logs_no_value(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "read_ports", lambda: {"db": int(env["POSTGRES_PORT"])})
    db.prepare(env)
    canaries = [secrets.token_hex() for _ in range(3)]
    log = db.FOLDER.with_name("server.log")
    with log.open("w") as output:
        server = subprocess.Popen(db.command(env), cwd=db.FOLDER, stdout=output, stderr=output)
    try:
        while "ready to accept" not in log.read_text():
            time.sleep(0.05)
        run(env, "app", "app", "CREATE TABLE t (hash text UNIQUE, number int CHECK (number < 10), name text NOT NULL)")
        row = "INSERT INTO t VALUES ('{}', {}, {})"
        run(env, "app", "app", row.format(canaries[0], 1, "'name'"))
        errors = [
            (psycopg2.errors.UniqueViolation, row.format(canaries[0], 1, "'name'")),
            (psycopg2.errors.CheckViolation, row.format(canaries[1], 10, "'name'")),
            (psycopg2.errors.NotNullViolation, row.format(canaries[2], 1, "NULL")),
            (psycopg2.errors.SyntaxError, f"INSERT nothing '{canaries[2]}'"),
        ]
        for error, statement in errors:
            with pytest.raises(error):
                run(env, "app", "app", statement)
    finally:
        server.terminate()
        server.wait()
    text = log.read_text()
    assert text.count("ERROR:") == len(errors)
    assert 'violates unique constraint "t_hash_key"' in text
    assert not [canary for canary in canaries if canary in text]


def test_superuser_is_rejected_as_application_role(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match=r"postgres is the superuser of the database server.*set POSTGRES_USER=app"):
        environment({"POSTGRES_USER": "postgres"})


def test_own_secrets_are_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("environment.SECRETS", tmp_path / "secrets.env")
    own = {"SECRET_KEY": "a key", "REDIS_PASSWORD": "r/e:d@is", "FLOWER_BASIC_AUTH": "me:pass:word"}
    env = environment(own)
    assert {name: env[name] for name in own} == own
    assert "redis://:r%2Fe%3Ad%40is@127.0.0.1" in env["REDIS_URL"]
    assert "SECRET_KEY" not in (tmp_path / "secrets.env").read_text()


def test_published_secrets_are_replaced_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("environment.SECRETS", tmp_path / "secrets.env")
    env = environment({"FLOWER_BASIC_AUTH": "me:changethis", "REDIS_PASSWORD": ""})
    assert env["FLOWER_BASIC_AUTH"].startswith("me:")
    assert len(env["SECRET_KEY"]) >= 32
    names = ("SECRET_KEY", "POSTGRES_PASSWORD", "POSTGRES_SUPERUSER_PASSWORD", "REDIS_PASSWORD")
    assert len({env[name] for name in names}) == len(names)
    derived = ("REDIS_URL", "FLOWER_BASIC_AUTH", "PGADMIN_DEFAULT_PASSWORD")
    assert not [name for name in (*names, *derived) if "changethis" in env[name]]
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert environment({"FLOWER_BASIC_AUTH": "me:changethis", "REDIS_PASSWORD": ""}) == env
