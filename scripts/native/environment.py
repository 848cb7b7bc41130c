"""The environment of the services: .env and frontend/.env, generated secrets, and addresses."""

import os
import secrets
from urllib.parse import quote

import env_file
from settings import BACKEND, DATA, ROOT, SECRETS, VENV, Env, fail, locked, read_ports, write_private

PUBLISHED = "changethis"
SECRET_NAMES = (
    "SECRET_KEY",
    "POSTGRES_PASSWORD",
    "POSTGRES_SUPERUSER_PASSWORD",
    "REDIS_PASSWORD",
    "PGADMIN_DEFAULT_PASSWORD",
)


def environment(caller: Env = os.environ) -> dict[str, str]:
    """Return the environment of the services. As in Compose, the caller's variables override .env.

    Fails with the name of a setting that is missing or ambiguous.
    """
    try:
        # Read frontend/.env here, because Vite would expand $ in it. Vite keeps variables that are already set.
        values = env_file.read(ROOT / "frontend/.env") | env_file.read(ROOT / ".env")
    except ValueError as error:
        fail(str(error))
    values |= {name: caller[name] for name in values if name in caller}
    for name in ("POSTGRES_USER", "POSTGRES_DB"):
        if not values.setdefault(name, caller.get(name, "")):
            fail(f"{name} is not set: give it a value in {ROOT / '.env'}.")
    if values["POSTGRES_USER"] == "postgres":
        fail(
            "postgres is the superuser of the database server, and the application needs its own role: "
            f"set POSTGRES_USER=app, or another name, in {ROOT / '.env'}. Existing data are upgraded."
        )
    _replace_published(values)
    ports, path = read_ports(), os.environ.get("PATH", os.defpath)
    port, domain = ports.get("proxy", 80), values.get("DOMAIN") or "localhost"
    return {
        **os.environ,
        **values,
        "ENVIRONMENT": "development",
        "SERVER_HOST": f"http://{domain}" if port == 80 else f"http://{domain}:{port}",
        "POSTGRES_SERVER": "127.0.0.1",
        "POSTGRES_PORT": str(ports.get("db", "")),
        # Never send the plain password: while the database is down, another user's program may listen on its port.
        "PGREQUIREAUTH": "scram-sha-256",
        "REDIS_URL": f"redis://:{quote(values['REDIS_PASSWORD'], safe='')}@127.0.0.1:{ports.get('redis', '')}/0",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(ports.get("smtp", "")),
        "SMTP_TLS": "False",
        "SMTP_SSL": "False",
        "SMTP_USER": "",
        "SMTP_PASSWORD": "",
        "PYTHONPATH": str(BACKEND),
        "FILE_STORE": values.get("FILE_STORE") or str(DATA / "files"),
        "VIRTUAL_ENV": str(VENV),
        "PATH": os.pathsep.join([str(VENV / "bin"), path]),
        # Show log entries immediately.
        "PYTHONUNBUFFERED": "1",
    }


def _replace_published(values: dict[str, str]) -> None:
    """Replace secrets that are empty or published by random values, which secrets.env keeps."""
    names = {name for name in SECRET_NAMES if values.get(name, "") in ("", PUBLISHED)}
    user, _, password = values.get("FLOWER_BASIC_AUTH", "").partition(":")
    if password == PUBLISHED:
        names.add("FLOWER_PASSWORD")
    # Several services may start at the same time.
    with locked(SECRETS.with_name("secrets.lock")):
        known = env_file.read(SECRETS) if SECRETS.exists() else {}
        if missing := sorted(names - known.keys()):
            known |= {name: secrets.token_hex(32) for name in missing}
            lines = [
                f'# These values replace "{PUBLISHED}" in .env.',
                *(f"{name}={value}" for name, value in known.items()),
            ]
            write_private(SECRETS, "\n".join(lines) + "\n")
    values |= {name: known[name] for name in names if name in SECRET_NAMES}
    if "FLOWER_PASSWORD" in names:
        values["FLOWER_BASIC_AUTH"] = f"{user}:{known['FLOWER_PASSWORD']}"
