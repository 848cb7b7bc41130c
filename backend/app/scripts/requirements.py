"""Prints the packages in poetry.lock for pip, with hashes: requirements.py FOLDER [GROUP...]

The Docker images and the native stack install these, without Poetry. Without GROUP, all groups
are printed.
"""

import re
import sys
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

LOCK_VERSION = "2.1"


def requirements(folder: Path, groups: set[str]) -> list[str]:
    """Return one line per package.

    Raises ValueError for a lock that is out of date, or that pip cannot install with hashes.
    """
    lock = tomllib.loads((folder / "poetry.lock").read_text())
    if (version := lock["metadata"]["lock-version"]) != LOCK_VERSION:
        raise ValueError(f"poetry.lock has version {version} instead of {LOCK_VERSION}")
    packages = lock["package"]
    locked = {normalized(package["name"]) for package in packages}
    for name in dependencies(folder / "pyproject.toml"):
        if normalized(name) not in locked:
            raise ValueError(f'poetry.lock lacks {name}: run "poetry lock"')
    return [
        requirement(package, wanted)
        for package in packages
        if (wanted := groups & set(package["groups"]) if groups else set(package["groups"]))
    ]


def requirement(package: dict[str, Any], groups: set[str]) -> str:
    if "source" in package:
        raise ValueError(f"{package['name']} comes from {package['source']['url']}: no hashes")
    markers = package.get("markers", "")
    if isinstance(markers, dict):
        # A group without a marker needs the package on every platform.
        listed = {markers.get(group, "") for group in groups}
        markers = "" if "" in listed else " or ".join(f"({marker})" for marker in sorted(listed))
    hashes = "".join(f" --hash={file['hash']}" for file in package["files"])
    return f"{package['name']}=={package['version']}{f' ; {markers}' if markers else ''}{hashes}"


def dependencies(pyproject: Path) -> list[str]:
    """Return the names of the packages that pyproject.toml requires in any group."""
    content = tomllib.loads(pyproject.read_text())
    groups = content.get("dependency-groups", {}).values()
    lines = chain(content["project"]["dependencies"], *groups)
    # An entry that is a table includes another group.
    return [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines if isinstance(line, str)]


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    try:
        print("\n".join(requirements(Path(sys.argv[1]), set(sys.argv[2:]))))
    except ValueError as error:
        sys.exit(str(error))
