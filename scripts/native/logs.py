"""Shows the logs of the services, with the name of the service before each line, like Compose."""

import contextlib
import sys
import time
from collections.abc import Callable

from settings import LOGS

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)


class Tail:
    """A log file. Everything before `offset` has been shown or skipped."""

    def __init__(self, name: str, colour: int, width: int) -> None:
        self.path = LOGS / f"{name}.log"
        self.offset = 0
        self.rest = b""
        self.prefix = f"{name:<{width}} | "
        if sys.stdout.isatty():
            self.prefix = f"\033[{colour}m{self.prefix}\033[0m"

    def skip(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.offset = self.path.stat().st_size

    def show(self) -> None:
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as file:
            # If the file is shorter than before, the supervisor has rotated it.
            if self.path.stat().st_size < self.offset:
                self.offset, self.rest = 0, b""
            file.seek(self.offset)
            new = file.read()
            self.offset += len(new)
            *lines, self.rest = (self.rest + new).split(b"\n")
            for line in lines:
                sys.stdout.write(f"{self.prefix}{line.decode(errors='replace')}\n")
            sys.stdout.flush()


def tails(names: list[str]) -> list[Tail]:
    width = max(map(len, names))
    return [Tail(name, COLOURS[index % len(COLOURS)], width) for index, name in enumerate(names)]


def show(logs: list[Tail]) -> None:
    for log in logs:
        log.show()


def follow(logs: list[Tail], is_running: Callable[[], bool]) -> None:
    while is_running():
        show(logs)
        time.sleep(0.2)
    show(logs)
