"""Shows the services' logs with the service's name before each line, as Compose does."""

import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

from settings import LOGS

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)


class Tail:
    def __init__(self, name: str, colour: int, width: int) -> None:
        self.path: Path = LOGS / f"{name}.log"
        self.offset = 0
        self.rest = b""
        self.prefix = f"{name:<{width}} | "
        if sys.stdout.isatty():
            self.prefix = f"\033[{colour}m{self.prefix}\033[0m"

    def skip(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.offset = self.path.stat().st_size

    def show(self) -> None:
        try:
            # The supervisor rotates: a shorter file is a new one.
            if self.path.stat().st_size < self.offset:
                self.offset, self.rest = 0, b""
            with self.path.open("rb") as file:
                file.seek(self.offset)
                new = file.read()
        except FileNotFoundError:
            return
        self.offset += len(new)
        *lines, self.rest = (self.rest + new).split(b"\n")
        for line in lines:
            sys.stdout.write(f"{self.prefix}{line.decode(errors='replace')}\n")
        sys.stdout.flush()


class Logs:
    def __init__(self, names: list[str], *, from_end: bool = False) -> None:
        width = max(map(len, names), default=0)
        self.tails = [Tail(name, COLOURS[place % len(COLOURS)], width) for place, name in enumerate(names)]
        if from_end:
            for tail in self.tails:
                tail.skip()

    def show(self) -> None:
        for tail in self.tails:
            tail.show()

    def follow(self, is_alive: Callable[[], bool]) -> None:
        while is_alive():
            self.show()
            time.sleep(0.2)
        self.show()
