"""Runs one service in place of this process: python run.py SERVICE. The supervisor calls it."""

import os
import signal
import sys

import ports
import services
import settings
import strays


def main(name: str) -> None:
    supervisor = os.getppid()
    service = services.SERVICES[name]
    # A service that died hard may have left children that hold its port.
    strays.end(name)
    chosen = settings.read_ports()
    for port in service.ports:
        if why := ports.obstacle(chosen[port]):
            settings.fail(f"port {chosen[port]} {why}: end that, or run down and up to get another port.")
    env = settings.environment()
    if service.installed and not service.installed():
        # The first installation leaves the processors to the rest.
        os.nice(10)
    if service.prepare:
        service.prepare(env)
    os.chdir(service.folder)
    settings.die_with_parent(getattr(signal, f"SIG{service.stop}"))
    if os.getppid() != supervisor:
        return
    command = service.command(env)
    os.execvpe(command[0], command, {**env, **service.env(env), strays.MARK: strays.mark(name)})


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except OSError as error:
        settings.fail(f"{sys.argv[1]} can't start: {error}")
