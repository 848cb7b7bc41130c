"""Finds and stops processes that a killed supervisor or service has left behind."""

import os

import psutil

from settings import DATA, RUN

# An environment variable that marks the processes of a service.
MARK = "NATIVE_SERVICE"


def mark(service: str) -> str:
    return f"{RUN}:{service}"


def stop(service: str = "") -> int:
    """Stop the orphans of a service, or of the whole stack, and return their number."""
    orphans = [process for process in psutil.process_iter() if _is_orphan(process, service)]
    for process in orphans:
        try:
            process.terminate()
        except psutil.Error:
            continue
    _, alive = psutil.wait_procs(orphans, timeout=15)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=5)
    return len(orphans)


def _is_orphan(process: psutil.Process, service: str) -> bool:
    if process.pid == os.getpid():
        return False
    try:
        # PostgreSQL overwrites the environment of its processes with their titles.
        if service in ("", "db") and process.name() == "postgres" and process.cwd() == str(DATA / "db"):
            return True
        found = str(process.environ().get(MARK, ""))
    except psutil.Error:
        return False
    return found == mark(service) if service else found.startswith(mark(""))
