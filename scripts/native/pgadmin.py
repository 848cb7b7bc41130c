"""pgAdmin, which is installed when it first starts. Its configuration is in pgadmin/config_local.py."""

import contextlib
import hashlib
import json
import re
import shutil
import sqlite3
from pathlib import Path

import install
from settings import DATA, SCRIPTS, STATE, Env, call, fail, read_ports, say, write_private

FOLDER = DATA / "pgadmin"
PYTHON = STATE / "pgadmin/bin/python"


def is_installed() -> bool:
    return install.is_installed("pgadmin") and (FOLDER / "pgadmin4.db").exists()


def env(values: Env) -> dict[str, str]:
    return {
        # pgAdmin imports config_local.
        "PYTHONPATH": str(SCRIPTS / "pgadmin"),
        "PGADMIN_DATA": str(FOLDER),
        "PGADMIN_LISTEN_PORT": str(read_ports()["pgadmin"]),
        "PGADMIN_SERVER_MODE": "ON",
        "PGADMIN_SETUP_EMAIL": values.get("PGADMIN_DEFAULT_EMAIL", ""),
        "PGADMIN_SETUP_PASSWORD": values["PGADMIN_DEFAULT_PASSWORD"],
    }


def command(_: Env) -> list[str]:
    return [str(PYTHON), str(_code() / "pgAdmin4.py")]


def _code() -> Path:
    (folder,) = (STATE / "pgadmin").glob("lib/python*/site-packages/pgadmin4")
    return folder


def prepare(values: Env) -> None:
    install.pgadmin()
    names = ("PGADMIN_DEFAULT_EMAIL", "PGADMIN_DEFAULT_PASSWORD", "POSTGRES_USER", "POSTGRES_DB")
    wanted = hashlib.sha256(json.dumps([values.get(name) for name in names]).encode()).hexdigest()
    mark = FOLDER / "made-for"
    if not mark.exists() or mark.read_text() != wanted:
        _set_up(values)
        write_private(mark, wanted)
    # Update these at every start: the port and the password of the database may have changed.
    with contextlib.closing(sqlite3.connect(FOLDER / "pgadmin4.db")) as connection, connection:
        connection.execute("UPDATE server SET port = ? WHERE name = 'db'", (int(values["POSTGRES_PORT"]),))
    login = (values["POSTGRES_USER"], values["POSTGRES_PASSWORD"])
    user, password = (re.sub(r"([:\\])", r"\\\1", part) for part in login)
    folder = user_folder(values["PGADMIN_DEFAULT_EMAIL"])
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(folder / "pgpass", f"*:*:*:{user}:{password}\n")


def user_folder(email: str) -> Path:
    """Return the folder in which pgAdmin looks for a user's files."""
    name = f"pga_user_{email}" if email[:1].isdigit() else email
    return FOLDER / "storage" / name.replace("@", "_").replace("/", "slash")


def _set_up(values: Env) -> None:
    if not values.get("PGADMIN_DEFAULT_EMAIL") or len(values["PGADMIN_DEFAULT_PASSWORD"]) < 6:
        fail("set PGADMIN_DEFAULT_EMAIL, and a PGADMIN_DEFAULT_PASSWORD of at least six characters, in .env.")
    say("Setting up pgAdmin (about 15 seconds) ...")
    # Renamed at the end, so that an interrupted set-up is repeated.
    new = DATA / "pgadmin.new"
    for folder in (FOLDER, new):
        shutil.rmtree(folder, ignore_errors=True)
    new.mkdir(mode=0o700)
    server = {
        "Name": "db",
        "Group": "Servers",
        "Host": "127.0.0.1",
        "Port": int(values["POSTGRES_PORT"]),
        "MaintenanceDB": values["POSTGRES_DB"],
        "Username": values["POSTGRES_USER"],
        "SSLMode": "prefer",
        "PassFile": "/pgpass",
    }
    servers = new / "servers.json"
    servers.write_text(json.dumps({"Servers": {"1": server}}))
    setup_env = {**values, **env(values), "PGADMIN_DATA": str(new)}
    for arguments in (["setup-db"], ["load-servers", str(servers), "--user", values["PGADMIN_DEFAULT_EMAIL"]]):
        if call([str(PYTHON), str(_code() / "setup.py"), *arguments], env=setup_env).returncode:
            fail("pgAdmin can't be set up: see its messages above.")
    new.rename(FOLDER)
