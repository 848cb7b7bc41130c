"""Reads the fenced blocks of the documentation, so that tests can run their commands.

The words after the language say what runs a block of commands:

    native, docker, swarm    the tests of scripts/native or scripts/containers
    ci                       the script .ci/run
    resource, project        the tests of scripts/resource or scripts/project
    outside                  nothing: it needs a service outside this project
    config                   nothing: these are lines of a settings file
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
COMMAND_LANGUAGES = {"sh", "console"}
TAGS = {"native", "docker", "swarm", "ci", "resource", "project", "outside", "config"}


class Block(NamedTuple):
    page: str
    line: int
    language: str
    tags: frozenset[str]
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def typed(text: str) -> list[str]:
    """Return the commands after the container's prompt in the one block that contains this text."""
    (block,) = [
        each for each in blocks("docker") if each.language == "console" and text in each.text
    ]
    return re.findall(r"^root@\w+:/app# (.+)$", block.text, re.MULTILINE)


def blocks(tag: str | None = None) -> list[Block]:
    """Return the blocks with this tag, or all blocks, in the order of the pages."""
    return [block for page in PAGES for block in _blocks(page) if tag is None or tag in block.tags]


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for match in re.finditer(
        r"^( *)```(\w*)([^\n]*)\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL
    ):
        indent, language, tags, content = match.groups()
        lines = [line.removeprefix(indent) for line in content.splitlines()]
        number = text.count("\n", 0, match.start()) + 1
        name = str(page.relative_to(ROOT))
        yield Block(name, number, language, frozenset(tags.split()), "\n".join(lines))
