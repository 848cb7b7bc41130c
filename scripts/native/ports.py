"""Chooses the ports of a stack: the ports of its last start, else the usual ports, else the next free ports.

A stack claims all its ports before its services start, and holds the claims until the supervisor ends. A claim is
the UDP port with the same number: no service uses it, only one process on the machine can have it, and the system
frees it even after a kill.
"""

import contextlib
import errno
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import psutil

from settings import PORTS, TESTING, fail, read_ports, say

# The system uses higher ports for outgoing connections.
HIGHEST = 32767
ALTERNATIVES = {80: 8000}
# Keeps the ports of the test stack apart from those of the development stack.
TEST_OFFSET = 10_000
# Check ::1 too: a browser sends requests for localhost to ::1 first.
ADDRESSES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::1"))


def obstacle(port: int) -> str:
    """Return why a service cannot listen on a port, or an empty string."""
    for family, address in ADDRESSES:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EACCES:
                return "is for root only"
            if error.errno == errno.EADDRINUSE:
                return f"is taken by {_holder(port)}"
    return ""


def _holder(port: int) -> str:
    # Only root can see the processes of other users. On macOS, only root can see any process.
    with contextlib.suppress(psutil.Error):
        for each in psutil.net_connections("tcp"):
            if each.laddr.port == port and each.status == psutil.CONN_LISTEN and each.pid:
                return f"{psutil.Process(each.pid).name()} (process {each.pid})"
    return "another program"


@contextmanager
def claimed(usual: Mapping[str, int]) -> Iterator[list[int]]:
    """Choose and claim a port for each name, and write the ports file. Yields the file descriptors of the claims."""
    before = read_ports()
    with ExitStack() as stack:
        claims = {name: stack.enter_context(_choose(name, port, before.get(name))) for name, port in usual.items()}
        PORTS.write_text(json.dumps({name: claim.getsockname()[1] for name, claim in claims.items()}))
        yield [claim.fileno() for claim in claims.values()]


def _choose(name: str, usual: int, before: int | None) -> socket.socket:
    if TESTING:
        usual = ALTERNATIVES.get(usual, usual) + TEST_OFFSET
    first = ALTERNATIVES.get(usual, usual)
    reasons: dict[int, str] = {}
    for port in (before or usual, usual, *range(first, min(first + 1000, HIGHEST))):
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        reasons[port] = _claim(claim, port)
        if not reasons[port]:
            if port != usual and not TESTING:
                say(f"Port {usual} {reasons.get(usual, 'was taken before')}: {name} is on port {port}.")
            return claim
        claim.close()
    fail(f"no port from {first} on is free for {name}: stop a program that uses one.")


def _claim(claim: socket.socket, port: int) -> str:
    """Claim a port. Returns why the port cannot be used, or an empty string."""
    try:
        claim.bind(("127.0.0.1", port))
    except PermissionError:
        return "is for root only"
    except OSError:
        return "is claimed by another stack or program"
    return obstacle(port)
