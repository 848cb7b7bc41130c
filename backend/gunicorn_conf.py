"""Gunicorn's settings, from environment variables: see docs/deployment.md."""

import os


def setting(name: str, default: str) -> str:
    return os.getenv(name) or default


def number(name: str, default: float) -> float:
    try:
        return float(setting(name, str(default)))
    except ValueError:
        raise SystemExit(f"{name} must be a number, not {os.environ[name]!r}.") from None


per_core = number("WORKERS_PER_CORE", 1) * (os.cpu_count() or 1)
# Each process holds up to 20 database connections (app/db/session.py). On a machine with many
# cores, one process per core would use more connections than PostgreSQL allows.
max_workers = number("MAX_WORKERS", 4)

workers = max(1, int(number("WEB_CONCURRENCY", min(max(per_core, 2), max_workers))))
bind = setting("BIND", f"{setting('HOST', '0.0.0.0')}:{setting('PORT', '80')}")
loglevel = setting("LOG_LEVEL", "info")
accesslog = setting("ACCESS_LOG", "-")
errorlog = setting("ERROR_LOG", "-")
timeout = int(number("TIMEOUT", 120))
graceful_timeout = int(number("GRACEFUL_TIMEOUT", 30))
keepalive = int(number("KEEP_ALIVE", 5))
# Workers write their heartbeat here. On a disk, a write could block.
worker_tmp_dir = "/dev/shm"
