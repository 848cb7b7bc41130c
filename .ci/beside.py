"""Runs a command in its own process group: python3 .ci/beside.py "PORT ..." COMMAND ...

Meanwhile native stacks leave the ports free.
"""

import os
import signal
import socket
import sys

ports, *command = sys.argv[1:]
os.setsid()
# A shell makes commands in the background ignore SIGINT, at which the tests clean up and end.
signal.signal(signal.SIGINT, signal.SIG_DFL)
for port in ports.split():
    # scripts/native/ports.py claims ports in the same way.
    claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    claim.bind(("127.0.0.1", int(port)))
    os.set_inheritable(claim.detach(), True)
os.execvp(command[0], command)
