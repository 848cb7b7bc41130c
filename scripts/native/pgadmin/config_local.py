"""pgAdmin's settings for the native stack; pgAdmin imports this module by its name."""

import os
from urllib.parse import urlsplit

from flask_socketio import SocketIO

DATA_DIR = os.environ["PGADMIN_DATA"]
DEFAULT_SERVER = "127.0.0.1"
DEFAULT_SERVER_PORT = int(os.environ["PGADMIN_LISTEN_PORT"])
# A website may let its own name lead to this machine.
ALLOWED_HOSTS = ["localhost", "127.0.0.1", urlsplit(f"//{os.environ.get('DOMAIN', '')}").hostname or "localhost"]
# Both would ask a host outside.
UPGRADE_CHECK_ENABLED = False
SHOW_GRAVATAR_IMAGE = False
MASTER_PASSWORD_REQUIRED = False
# Otherwise every user of the machine could lock the login with three wrong passwords.
MAX_LOGIN_ATTEMPTS = 0

# pgAdmin opens its socket to the pages of every origin, and has no setting for that. By default it is its own only.
_init_app = SocketIO.init_app


def _init_app_for_own_origin(self: SocketIO, app: object, **options: object) -> None:
    _init_app(self, app, **{**options, "cors_allowed_origins": None})


SocketIO.init_app = _init_app_for_own_origin
