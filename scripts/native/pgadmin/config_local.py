"""Settings of pgAdmin, which imports a module of this name."""

import os
from urllib.parse import urlsplit

from flask_socketio import SocketIO

DATA_DIR = os.environ["PGADMIN_DATA"]
DEFAULT_SERVER = "127.0.0.1"
DEFAULT_SERVER_PORT = int(os.environ["PGADMIN_LISTEN_PORT"])
# A website could let its own name point to this machine (DNS rebinding).
ALLOWED_HOSTS = ["localhost", "127.0.0.1", urlsplit(f"//{os.environ.get('DOMAIN', '')}").hostname or "localhost"]
# Both send requests to other hosts.
UPGRADE_CHECK_ENABLED = False
SHOW_GRAVATAR_IMAGE = False
MASTER_PASSWORD_REQUIRED = False
# Every user of the machine could lock the account with three wrong passwords.
MAX_LOGIN_ATTEMPTS = 0

# pgAdmin allows all origins for its WebSocket, without a setting. Restore the default: the same origin.
_init_app = SocketIO.init_app


def _init_app_for_own_origin(self: SocketIO, app: object, **options: object) -> None:
    _init_app(self, app, **{**options, "cors_allowed_origins": None})


SocketIO.init_app = _init_app_for_own_origin
