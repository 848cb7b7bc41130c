"""Fail when poetry-requirements.txt, which installs Poetry itself, is not that of poetry.lock."""

import re
import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parents[1]
REQUIREMENT = re.compile(r"^(\S+)==(\S+).*?((?:\\\n +--hash=\S+ ?)+)", re.MULTILINE)

packages = tomllib.loads((FOLDER / "poetry.lock").read_text())["package"]
locked = {
    package["name"]: (package["version"], {file["hash"] for file in package["files"]})
    for package in packages
    if "poetry" in package["groups"]
}
listed = {
    name: (version, set(re.findall(r"--hash=(\S+)", hashes)))
    for name, version, hashes in REQUIREMENT.findall(
        (FOLDER / "poetry-requirements.txt").read_text()
    )
}
if listed != locked:
    sys.exit(
        "poetry-requirements.txt is out of date: run\n"
        "  poetry export --only poetry --output poetry-requirements.txt"
    )
