"""Wait until the tests can start."""

import logging

from app.backend_pre_start import check_broker, check_database, wait_for

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    wait_for(check_database, check_broker)
