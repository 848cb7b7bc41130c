"""Create the data that the application needs to start."""

import logging

from psycopg2.errors import UndefinedTable
from sqlalchemy.exc import ProgrammingError

from app.crud.exceptions import EmailTaken
from app.db.init_db import init_db
from app.db.session import SessionLocal

logger = logging.getLogger(__name__)


def main() -> None:
    try:
        with SessionLocal.begin() as db:
            init_db(db)
    except ProgrammingError as error:
        if not isinstance(error.orig, UndefinedTable):
            raise
        logger.warning("There are no tables yet: create a first revision with alembic")
    except EmailTaken:
        logger.info("Another process created the first superuser at the same time")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    main()
