"""Chooses a stack's ports: the usual one when it is free, else the next one, and the same again at the next start.

A stack claims the port of each service before the service starts, and holds it until the supervisor ends.
The claim is the UDP port of the same number. No service uses that one, only one process on the machine can have it,
whoever its user is, and the system frees it even after a kill.
"""

import contextlib
import errno
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import psutil

from settings import PORTS, TESTING, fail, read_ports, say

# Above 32767 a client's own port may be in the way.
HIGHEST = 32767
ELSE = {80: 8000}
# The test stack keeps away from what the development's will want.
TEST_OFFSET = 10_000
# What listens on ::1 gets the browser's requests for localhost.
ADDRESSES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::1"))


def obstacle(port: int) -> str:
    """Why a service could not listen on this port now, or an empty string."""
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
    # Only root sees other users' processes, and on macOS even one's own.
    with contextlib.suppress(psutil.Error):
        for each in psutil.net_connections("tcp"):
            if each.laddr.port == port and each.status == psutil.CONN_LISTEN and each.pid:
                return f"{psutil.Process(each.pid).name()} (process {each.pid})"
    return "another program"


@contextmanager
def claimed(usual: Mapping[str, int]) -> Iterator[list[int]]:
    """Choose a port for each name and write the ports file; yield the claims' file descriptors, to be inherited."""
    before = read_ports()
    if TESTING:
        usual = {name: ELSE.get(port, port) + TEST_OFFSET for name, port in usual.items()}
    with ExitStack() as claims:
        chosen: dict[str, int] = {}
        held: list[int] = []
        for name in usual:
            claim = _choose(name, usual[name], before.get(name, usual[name]))
            claims.enter_context(claim)
            chosen[name] = claim.getsockname()[1]
            held.append(claim.fileno())
        PORTS.write_text(json.dumps(chosen))
        yield held


def _choose(name: str, usual: int, before: int) -> socket.socket:
    start = ELSE.get(usual, usual)
    reasons: dict[int, str] = {}
    for port in (before, usual, *range(start, min(start + 1000, HIGHEST))):
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        reasons[port] = _claim(claim, port)
        if not reasons[port]:
            if port != usual and not TESTING:
                say(f"Port {usual} {reasons.get(usual, 'was taken before')}: {name} is on port {port}.")
            return claim
        claim.close()
    fail(f"no free port for {name} from {start} on: end a program that listens on one.")


def _claim(claim: socket.socket, port: int) -> str:
    """Claim the port, or return why not."""
    try:
        claim.bind(("127.0.0.1", port))
    except PermissionError:
        return "is for root only"
    except OSError:
        return "is claimed by another stack or program"
    return obstacle(port)
