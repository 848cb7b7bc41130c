"""Gunicorn's settings, from the environment; see the README's table of them."""

import os


def setting(name: str, default: str) -> str:
    return os.getenv(name) or default


def number(name: str, default: float) -> float:
    try:
        return float(setting(name, str(default)))
    except ValueError:
        raise SystemExit(f"{name} must be a number, and is {os.environ[name]!r}.") from None


per_core = number("WORKERS_PER_CORE", 1) * (os.cpu_count() or 1)
# Each process may hold 20 connections to the database (see app/db/session.py), whatever the number of cores.
most = number("MAX_WORKERS", 4)

workers = max(1, int(number("WEB_CONCURRENCY", min(max(per_core, 2), most))))
bind = setting("BIND", f"{setting('HOST', '0.0.0.0')}:{setting('PORT', '80')}")
loglevel = setting("LOG_LEVEL", "info")
accesslog = setting("ACCESS_LOG", "-")
errorlog = setting("ERROR_LOG", "-")
timeout = int(number("TIMEOUT", 120))
graceful_timeout = int(number("GRACEFUL_TIMEOUT", 30))
keepalive = int(number("KEEP_ALIVE", 5))
# The workers' sign of life; on a disk it could wait.
worker_tmp_dir = "/dev/shm"
