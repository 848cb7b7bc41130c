import logging

from sqlalchemy.orm import Session

from app import crud
from app.core.config import settings
from app.db.base import Base  # noqa: F401
from app.db.session import engine  # noqa: F401
from app.schemas import UserCreate

logger = logging.getLogger(__name__)


def init_db(db: Session) -> None:
    """Create what the application can't start without: the first superuser.

    The tables are made by Alembic. To do without migrations, un-comment the next line,
    and comment out the line "alembic upgrade head" in prestart.sh.
    """
    # Base.metadata.create_all(bind=engine)  # noqa: ERA001

    if crud.user.get_by_email(db, email=settings.FIRST_SUPERUSER) is not None:
        logger.info("%s exists already; the password stays as it is", settings.FIRST_SUPERUSER)
        return
    crud.user.create(
        db,
        obj_in=UserCreate(
            email=settings.FIRST_SUPERUSER,
            password=settings.FIRST_SUPERUSER_PASSWORD,
            is_superuser=True,
        ),
    )
    logger.info("Created the first superuser, %s", settings.FIRST_SUPERUSER)
