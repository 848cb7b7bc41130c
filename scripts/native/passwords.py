"""Random values in place of the secrets that .env publishes, made once for each stack."""

import fcntl
import os
import secrets
from pathlib import Path

import env_file

PUBLISHED = "changethis"
NAMES = (
    "SECRET_KEY",
    "POSTGRES_PASSWORD",
    "POSTGRES_SUPERUSER_PASSWORD",
    "REDIS_PASSWORD",
    "PGADMIN_DEFAULT_PASSWORD",
)


def fill_in(values: dict[str, str], file: Path) -> None:
    """Replace each secret that is missing or published by the file's; a value that the user has set stays."""
    names = {name for name in NAMES if values.get(name, "") in ("", PUBLISHED)}
    user, _, password = values.get("FLOWER_BASIC_AUTH", "").partition(":")
    if password == PUBLISHED:
        names.add("FLOWER_PASSWORD")
    if not names:
        return
    made = _read(file, names)
    values |= {name: made[name] for name in names}
    if flower := values.pop("FLOWER_PASSWORD", ""):
        values["FLOWER_BASIC_AUTH"] = f"{user}:{flower}"


def _read(file: Path, names: set[str]) -> dict[str, str]:
    """Return the file's values, after those that are not there yet were added."""
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        # Several services may start at once.
        fcntl.flock(folder, fcntl.LOCK_EX)
        known = env_file.read(file) if file.exists() else {}
        if missing := sorted(names - known.keys()):
            known |= {name: secrets.token_hex(32) for name in missing}
            lines = (f"{name}={value}\n" for name, value in known.items())
            write_private(file, f'# Used in place of each "{PUBLISHED}" in .env.\n{"".join(lines)}')
    finally:
        os.close(folder)
    return known


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone can read, all at once."""
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
    part.replace(file)
