"""Runs a command in its own process group, while native stacks leave the ports of the tests in containers free."""

import os
import signal
import socket
import sys

PORTS = (80, 443, 1080, 5050, 5555, 8080, 8888)

os.setsid()
# A shell makes commands in the background ignore SIGINT, which tells pytest to clean up.
signal.signal(signal.SIGINT, signal.SIG_DFL)
for port in PORTS:
    # scripts/native/ports.py claims ports in the same way.
    claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    claim.bind(("127.0.0.1", port))
    os.set_inheritable(claim.detach(), True)
os.execvp(sys.argv[1], sys.argv[1:])
