"""Finds what a killed supervisor or a killed service left running, and ends it."""

import os

import psutil

from settings import DATA, RUN

MARK = "NATIVE_SERVICE"


def mark(service: str) -> str:
    return f"{RUN}:{service}"


def end(service: str = "") -> int:
    """End what is left of a service of this clone, or of all of them; return how many processes that were."""
    left = [process for process in psutil.process_iter() if _is_left(process, service)]
    for process in left:
        try:
            process.terminate()
        except psutil.Error:
            continue
    _, stubborn = psutil.wait_procs(left, timeout=15)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    return len(left)


def _is_left(process: psutil.Process, service: str) -> bool:
    if process.pid == os.getpid():
        return False
    try:
        # PostgreSQL's processes write their title over their environment.
        if service in ("", "db") and process.name() == "postgres" and process.cwd() == str(DATA / "db"):
            return True
        found = str(process.environ().get(MARK, ""))
    except psutil.Error:
        return False
    return found == mark(service) if service else found.startswith(mark(""))
