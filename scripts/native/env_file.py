"""Reads .env files as Docker Compose does, and rejects what the two would read differently."""

import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dotenv.parser import Binding

NAME = re.compile(r"\w[\w.-]*", re.ASCII)
# python-dotenv begins a comment after any whitespace, Compose only after a value and a space.
UNCLEAR_COMMENT = re.compile(r"=\s+#|[^\S ]#")
# Compose and python-dotenv disagree on which of these end a line. Windows' line breaks are fine.
INVISIBLE = re.compile(r"[^\S \t\r\n\xa0]|[\x00-\x08\x7f]|\r(?!\n)|\r\n(?=[\s\S])")


def read(path: Path) -> dict[str, str]:
    """Return the variables of a file. ValueError names the one that is not clear."""
    # Comes with the backend's packages, which --help and the first run don't have yet.
    from dotenv.parser import parse_stream

    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8: save it in that encoding.") from None
    values = {}
    for binding in parse_stream(StringIO(text, newline="")):
        if binding.key is None and not binding.error:
            continue
        if not _is_clear(binding):
            name = re.split(r"[\s=:]", binding.original.string.strip().removeprefix("export "))[0]
            raise ValueError(
                f"{name} in {path} (line {binding.original.line}): Docker Compose would read this line differently. "
                "Write NAME='value' in single quotes, or as the first lines of .env explain."
            )
        values[str(binding.key)] = binding.value or ""
    return values


def _is_clear(binding: "Binding") -> bool:
    """Whether Compose reads the same; test_env_file.py compares the two."""
    line = binding.original.string.lstrip("\r\n")
    name, equals, value = line.partition("=")
    written = value.lstrip()
    if binding.error or not equals or "'" in name or not NAME.fullmatch(binding.key or "") or INVISIBLE.search(line):
        return False
    if written.startswith("'"):
        return "\\\\" not in written
    if written.startswith('"'):
        return "$" not in str(binding.value) and "\\'" not in written and "\\0" not in written
    return "$" not in str(binding.value) and not UNCLEAR_COMMENT.search(line)
