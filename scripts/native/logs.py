"""Shows the services' logs with the service's name before each line, as Compose does."""

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from settings import LOGS

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)


class Tail:
    def __init__(self, name: str, colour: int, width: int, offset: int = 0) -> None:
        self.path: Path = LOGS / f"{name}.log"
        self.offset = offset
        self.rest = b""
        self.prefix = f"{name:<{width}} | "
        if sys.stdout.isatty():
            self.prefix = f"\033[{colour}m{self.prefix}\033[0m"

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


def sizes(names: Iterable[str]) -> dict[str, int]:
    paths = {name: LOGS / f"{name}.log" for name in names}
    return {name: path.stat().st_size for name, path in paths.items() if path.exists()}


def tails(names: list[str], offsets: dict[str, int]) -> list[Tail]:
    width = max(map(len, names))
    return [Tail(name, COLOURS[i % len(COLOURS)], width, offsets.get(name, 0)) for i, name in enumerate(names)]


def follow(shown: list[Tail], alive: Callable[[], bool]) -> None:
    while alive():
        for tail in shown:
            tail.show()
        time.sleep(0.2)
    for tail in shown:
        tail.show()
