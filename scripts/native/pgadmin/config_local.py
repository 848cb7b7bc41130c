"""pgAdmin's settings for the native stack; pgAdmin imports this module by its name."""

import os

DATA_DIR = os.environ["PGADMIN_DATA"]
DEFAULT_SERVER = "127.0.0.1"
DEFAULT_SERVER_PORT = int(os.environ["PGADMIN_LISTEN_PORT"])
# Both would ask a host outside.
UPGRADE_CHECK_ENABLED = False
SHOW_GRAVATAR_IMAGE = False
MASTER_PASSWORD_REQUIRED = False
# The registered server takes its password from the environment this way.
ENABLE_SERVER_PASS_EXEC_CMD = True
