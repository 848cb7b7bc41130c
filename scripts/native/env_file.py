"""Reads .env files, and rejects lines that Docker Compose would read differently."""

import re
from pathlib import Path

# NAME='value', NAME="value" or NAME=value, on one line. A comment after the value must follow a space.
LINE = re.compile(
    r"""(?:export\ +)? (\w+) \ *=\ * (?:
        (?: '((?:[^'\\]|\\[^\\])*)' | "((?:[^"\\$]|\\["\\])*)" | ([^\s'"\#$][^$]*?) ) \ * (?:(?<=\ )\#.*)?
    )?""",
    re.VERBOSE | re.ASCII,
)
OTHER_WHITESPACE = re.compile(r"[^\S ]|[\x00-\x1f\x7f]")


def read(path: Path) -> dict[str, str]:
    """Return the variables of a file. Raises ValueError if a line is ambiguous, with the variable's name."""
    try:
        lines = path.read_bytes().decode().split("\n")
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8: save it in that encoding.") from None
    values = {}
    for number, line in enumerate((line.removesuffix("\r").strip(" ") for line in lines), 1):
        if not line or line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if not match or OTHER_WHITESPACE.search(line):
            name = re.split(r"[\s=:]", line.removeprefix("export "))[0]
            raise ValueError(
                f"{name} in {path} (line {number}): Docker Compose would read this line differently. "
                "Write NAME='value' in single quotes, or as the first lines of .env explain."
            )
        name, single, double, plain = (group or "" for group in match.groups())
        values[name] = single.replace("\\'", "'") or re.sub(r'\\(["\\])', r"\1", double) or plain
    return values
