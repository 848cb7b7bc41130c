"""The measured servers. Each has its own database with users and items."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode, urlsplit

from load import API, LOAD_CORE, SERVER_CORE, Server, User, pin
from psycopg2.extensions import make_dsn, parse_dsn
from redis import Redis
from sqlalchemy import Connection, create_engine, text

from app.core.config import settings

BACKEND = Path(__file__).parents[2]
PASSWORD = "a password of the benchmark"
ADMIN = "bench@example.com"
# The number of items that each user has.
USERS = {"small": 100, "large": 100_000, "writer": 100, "csv": 0}
# The file store.
FILES = tempfile.TemporaryDirectory()


def redis_url() -> str:
    """Return the URL of another Redis database than the stack's."""
    parts = urlsplit(settings.CELERY_BROKER_URL)
    return parts._replace(path="/14" if parts.path == "/15" else "/15").geturl()


@contextmanager
def empty_redis() -> Iterator[None]:
    """Flush the database with the queue and the counters of attempts, before and after."""
    with Redis.from_url(redis_url()) as client:
        client.flushdb()
        try:
            yield
        finally:
            client.flushdb()


@contextmanager
def database(name: str) -> Iterator[str]:
    """Yield the URI of a new, empty database, which is dropped afterwards."""
    url = create_engine(settings.SQLALCHEMY_DATABASE_URI).url
    server = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    name = f"{url.database}_bench_{name}"
    with server.connect() as connection:
        drop = text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(drop)
        connection.execute(text(f'CREATE DATABASE "{name}"'))
        try:
            yield url.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(drop)
    server.dispose()


@contextmanager
def server(application: str, folder: Path, uri: str) -> Iterator[Server]:
    """Run the application as in production, but in one process and on one core."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = bench_environment(folder, uri) | {"BENCH_APP": application}
    command = ["uvicorn", "measured:app", f"--port={port}"]
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: pin(0, SERVER_CORE),
    )
    try:
        running = Server(port)
        while True:
            try:
                running.totals()
                break
            except URLError:
                if process.poll() is not None:
                    raise SystemExit(f"bench: {application} of {folder} did not start") from None
                time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait()


def bench_environment(folder: Path, uri: str) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([str(folder), str(Path(__file__).parent)]),
        # Other environments reject the published database password.
        "ENVIRONMENT": "development",
        "SECRET_KEY": "k" * 64,
        "SQLALCHEMY_DATABASE_URI": uri,
        "BENCH_DATABASE": make_dsn(**parse_dsn(uri.replace("+psycopg2", ""))),
        "FIRST_SUPERUSER": ADMIN,
        "FIRST_SUPERUSER_PASSWORD": PASSWORD,
        "API_V1_STR": API,
        # No worker reads the queue in this Redis database, so no mail is sent.
        "CELERY_BROKER_URL": redis_url(),
        "CELERY_RESULT_BACKEND": redis_url(),
        "EMAILS_ENABLED": "true",
        "EMAILS_FROM_EMAIL": ADMIN,
        "SMTP_HOST": "mail.invalid",
        "FILE_STORE": FILES.name,
        "USERS_OPEN_REGISTRATION": "true",
        # The clients' addresses come from X-Forwarded-For.
        "FORWARDED_ALLOW_IPS": "127.0.0.1",
        "SENTRY_DSN": "",
    }


def run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(command)} failed in {folder}:\n{done.stderr}")


@contextmanager
def application(name: str, folder: Path) -> Iterator[tuple[Server, str]]:
    """Run the application of a source tree, with its own database of users and items."""
    with empty_redis(), database(name) as uri:
        environment = bench_environment(folder, uri)
        for command in (["alembic", "upgrade", "head"], ["python", "-m", "app.initial_data"]):
            run(command, folder, environment)
        with server("app.main:app", folder, uri) as running:
            engine = create_engine(uri)
            with engine.begin() as connection:
                running.users = create_users(running, connection)
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
                pin_database(connection)
            engine.dispose()
            yield running, uri


def create_users(running: Server, connection: Connection) -> dict[str, User]:
    users = {}
    admin = request_token(running, ADMIN)
    for name, items in USERS.items():
        email = f"{name}@example.com"
        body = json.dumps({"email": email, "password": PASSWORD}).encode()
        headers = {"Authorization": f"Bearer {admin}", "Content-Type": "application/json"}
        user = running.call(f"{API}/users/", body, **headers)["id"]
        connection.execute(
            text(
                "INSERT INTO item (title, description, owner_id)"
                " SELECT 'Title ' || n, repeat('A description of ' || n || '. ', 4), :user"
                " FROM generate_series(1, :items) AS n"
            ),
            {"user": user, "items": items},
        )
        last = connection.scalar(text("SELECT max(id) FROM item"))
        assert last is not None
        users[name] = User(user, request_token(running, email), last - items + 1, last)
    return users


def request_token(running: Server, email: str) -> str:
    form = urlencode({"username": email, "password": PASSWORD}).encode()
    return str(running.call(f"{API}/login/access-token", form)["access_token"])


def pin_database(connection: Connection) -> None:
    """Keep PostgreSQL's processes off the server's core, if permitted."""
    query = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    for process in connection.scalars(query):
        try:
            pin(process, LOAD_CORE)
        except OSError:
            print("Can't pin PostgreSQL to a core: requests/s and latencies are less exact.")
            return


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """Yield the backend of a commit, in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(
            ["git", "-C", str(BACKEND), "archive", commit], check=False, capture_output=True
        )
        if archive.returncode:
            raise SystemExit(f"bench: --compare: {archive.stderr.decode().strip()}")
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        yield Path(folder)
