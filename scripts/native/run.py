"""Replaces itself by one service: python run.py SERVICE. The supervisor runs this."""

import os
import signal
import sys

import orphans
import ports
import services
from environment import environment
from settings import fail, read_ports


def main(name: str) -> None:
    service = services.SERVICES[name]
    # Children of a killed service may still hold its port.
    orphans.stop(name)
    chosen = read_ports()
    for port in service.ports:
        if reason := ports.obstacle(chosen[port]):
            fail(f"port {chosen[port]} {reason}: stop that program, or run down and up to get another port.")
    # Raise SystemExit at SIGTERM: subprocess.run then kills a program that prepares the service.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    env = environment()
    if not service.is_installed():
        # Let services that are already installed use the CPU first.
        os.nice(10)
    service.prepare(env)
    os.chdir(service.folder)
    command = service.command(env)
    os.execvpe(command[0], command, {**env, **service.env(env), orphans.MARK: orphans.mark(name)})


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except OSError as error:
        fail(f"{sys.argv[1]} can't start: {error}")
