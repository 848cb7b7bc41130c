"""Chooses the ports: the usual one when it is free, else the next one, and the same again at the next start."""

import fcntl
import json
import os
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from settings import PORTS, TESTING, fail, read_ports, say

# Above 32767 a client's own port may be in the way.
HIGHEST = 32767
ELSE = {80: 8000}
# The test stack keeps away from what the development's will want.
TEST_OFFSET = 10_000


def is_free(port: int) -> bool:
    return not _obstacle(port)


def _obstacle(port: int) -> str:
    try:
        for address in ("127.0.0.1", "0.0.0.0"):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
    except PermissionError:
        return "is for root only"
    except OSError:
        return "is taken"
    return ""


def choose(usual: Mapping[str, int]) -> None:
    """Write the ports of these names to the ports file; those that it has for others stay."""
    chosen = read_ports()
    if TESTING:
        usual = {name: ELSE.get(port, port) + TEST_OFFSET for name, port in usual.items()}
    before = {name: chosen.pop(name, 0) for name in usual}
    for name in usual:
        chosen[name] = _choose(name, usual[name], before[name], set(chosen.values()))
    PORTS.write_text(json.dumps(chosen))


def _choose(name: str, usual: int, before: int, taken: set[int]) -> int:
    start = ELSE.get(usual, usual)
    candidates: list[int] = [before or usual, usual, *range(start, min(start + 1000, HIGHEST))]
    for port in candidates:
        if port not in taken and is_free(port):
            if port != usual and not TESTING:
                say(f"Port {usual} {_obstacle(usual) or 'was taken before'}: {name} is on port {port}.")
            return port
    fail(f"no free port for {name} from {start} on: end a program that listens on one.")


@contextmanager
def turn() -> Iterator[None]:
    """Another clone that starts now would see the same ports free: one at a time, for as long as is decent."""
    path = Path(tempfile.gettempdir()) / "native-stack-ports.lock"
    try:
        # Any user's file will do, since a lock needs no right to write.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | (0 if path.exists() else os.O_CREAT), 0o644)
    except OSError:
        yield
        return
    try:
        for attempt in range(300):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == 0:
                    say("Another clone is starting: waiting for its choice of ports ...")
                time.sleep(0.2)
        yield
    finally:
        os.close(handle)
