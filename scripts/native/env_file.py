"""Reads .env files."""

from pathlib import Path


def read(path: Path) -> dict[str, str]:
    """Return the variables of a file."""
    # Comes with the backend's packages, which --help and the first run don't have yet.
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path).items() if value is not None}
