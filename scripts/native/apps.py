"""pgAdmin and the mail catcher: large, so each installs itself at its first start, when the rest is up."""

import contextlib
import hashlib
import json
import re
import shutil
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path

import install
import node
import passwords
from settings import DATA, ROOT, SCRIPTS, STATE, call, fail, read_ports, say

Env = Mapping[str, str]
MAILCATCHER = STATE / "mailcatcher"
MAILDEV = MAILCATCHER / "node_modules/maildev/dist/bin/maildev.js"
GUARD = ROOT / "scripts/mailcatcher/guard.mjs"
PGADMIN_DATA = DATA / "pgadmin"
PGPASS = "pgpass"


def mailcatcher_ready() -> bool:
    return node.is_installed(MAILCATCHER, SCRIPTS / "mailcatcher")


def install_mailcatcher() -> None:
    node.install_packages(MAILCATCHER, SCRIPTS / "mailcatcher", "the mail catcher (about 10 seconds)")


def prepare_mailcatcher(_: Env) -> None:
    install_mailcatcher()


def mailcatcher_env(_: Env) -> dict[str, str]:
    return {"MAILCATCHER_OWNER_ONLY": "1"} if sys.platform == "linux" else {}


def mailcatcher(_: Env) -> list[str]:
    ports = read_ports()
    mails = DATA / "mailcatcher"
    mails.mkdir(mode=0o700, exist_ok=True)
    options: dict[str, object] = {"ip": "127.0.0.1", "smtp": ports["smtp"], "web-ip": "127.0.0.1", "web": ports["mail"]}
    # Its own choice is one folder in /tmp for all users, which only the first of them can write.
    options |= {"mail-directory": mails, "max-emails": 1000}
    return [
        node.executable(),
        # A small nursery for short-lived objects: it takes a third less memory.
        "--max-semi-space-size=1",
        f"--import={GUARD.as_uri()}",
        str(MAILDEV),
        *(f"--{name}={value}" for name, value in options.items()),
    ]


def pgadmin_ready() -> bool:
    return install.ready("pgadmin") and (PGADMIN_DATA / "pgadmin4.db").exists()


def _pgadmin_code() -> Path:
    (folder,) = (STATE / "pgadmin").glob("lib/python*/site-packages/pgadmin4")
    return folder


def pgadmin_env(env: Env) -> dict[str, str]:
    login = {"EMAIL": env.get("PGADMIN_DEFAULT_EMAIL", ""), "PASSWORD": env["PGADMIN_DEFAULT_PASSWORD"]}
    return {
        # config_local.py there is pgAdmin's own way to be configured from outside its package.
        "PYTHONPATH": str(SCRIPTS / "pgadmin"),
        "PGADMIN_DATA": str(PGADMIN_DATA),
        "PGADMIN_LISTEN_PORT": str(read_ports()["pgadmin"]),
        "PGADMIN_SERVER_MODE": "ON",
        **{f"PGADMIN_SETUP_{name}": value for name, value in login.items()},
    }


def prepare_pgadmin(env: Env) -> None:
    install.pgadmin(SCRIPTS / "pgadmin")
    names = ("PGADMIN_DEFAULT_EMAIL", "PGADMIN_DEFAULT_PASSWORD", "POSTGRES_USER", "POSTGRES_DB")
    wanted = hashlib.sha256(json.dumps([env.get(name) for name in names]).encode()).hexdigest()
    made = PGADMIN_DATA / "made-for"
    if not made.exists() or made.read_text() != wanted:
        _first_pgadmin(env)
        passwords.write_private(made, wanted)
    # The database's port and password may be others today.
    with contextlib.closing(sqlite3.connect(PGADMIN_DATA / "pgadmin4.db")) as connection, connection:
        connection.execute("UPDATE server SET port = ? WHERE name = 'db'", (int(env["POSTGRES_PORT"]),))
    login = (env["POSTGRES_USER"], env["POSTGRES_PASSWORD"])
    user, password = (re.sub(r"([:\\])", r"\\\1", word) for word in login)
    folder = pgadmin_folder(env["PGADMIN_DEFAULT_EMAIL"])
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    passwords.write_private(folder / PGPASS, f"*:*:*:{user}:{password}\n")


def pgadmin_folder(email: str) -> Path:
    """Return the folder in which pgAdmin looks for a user's files."""
    name = f"pga_user_{email}" if email[:1].isdigit() else email
    return PGADMIN_DATA / "storage" / name.replace("@", "_").replace("/", "slash")


def _first_pgadmin(env: Env) -> None:
    if not env.get("PGADMIN_DEFAULT_EMAIL") or len(env["PGADMIN_DEFAULT_PASSWORD"]) < 6:
        fail("pgAdmin wants PGADMIN_DEFAULT_EMAIL and a PGADMIN_DEFAULT_PASSWORD of six characters or more in .env.")
    say("Setting up pgAdmin (about 15 seconds) ...")
    shutil.rmtree(PGADMIN_DATA, ignore_errors=True)
    new = DATA / "pgadmin.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    server = {
        "Name": "db",
        "Group": "Servers",
        "Host": "127.0.0.1",
        "Port": int(env["POSTGRES_PORT"]),
        "MaintenanceDB": env["POSTGRES_DB"],
        "Username": env["POSTGRES_USER"],
        "SSLMode": "prefer",
        "PassFile": f"/{PGPASS}",
    }
    servers = new / "servers.json"
    servers.write_text(json.dumps({"Servers": {"1": server}}))
    setup = [str(STATE / "pgadmin/bin/python"), str(_pgadmin_code() / "setup.py")]
    own = {**env, **pgadmin_env(env), "PGADMIN_DATA": str(new)}
    for words in (["setup-db"], ["load-servers", str(servers), "--user", env["PGADMIN_DEFAULT_EMAIL"]]):
        if call([*setup, *words], env=own).returncode:
            fail("pgAdmin can't be set up: its own words are above.")
    new.rename(PGADMIN_DATA)


def pgadmin(_: Env) -> list[str]:
    return [str(STATE / "pgadmin/bin/python"), str(_pgadmin_code() / "pgAdmin4.py")]
