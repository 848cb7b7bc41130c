import logging

from sqlalchemy.orm import Session

from app import crud
from app.core.config import settings
from app.core.passwords import DEFAULT_SECRET
from app.core.security import verify_password
from app.db.base import Base  # noqa: F401
from app.db.session import engine  # noqa: F401
from app.schemas import UserCreate

logger = logging.getLogger(__name__)


def init_db(db: Session) -> None:
    """Create the first superuser if there is no active superuser.

    Alembic creates the tables. To work without migrations, un-comment the next line and comment
    out the line "alembic upgrade head" in prestart.sh.
    """
    # Base.metadata.create_all(bind=engine)  # noqa: ERA001

    superusers = crud.user.get_active_superusers(db)
    if not superusers:
        create_first_superuser(db)
    elif settings.FIRST_SUPERUSER not in {user.email for user in superusers}:
        logger.info(
            "FIRST_SUPERUSER %s is not an active superuser. No user is created, because another "
            "active superuser exists. Log in as %s to create or change users.",
            settings.FIRST_SUPERUSER,
            superusers[0].email,
        )
    for user in crud.user.get_active_superusers(db):
        if verify_password(DEFAULT_SECRET, user.hashed_password):
            logger.warning(
                "The superuser %s still has the default password: change it.", user.email
            )


def create_first_superuser(db: Session) -> None:
    if crud.user.get_by_email(db, email=settings.FIRST_SUPERUSER) is not None:
        logger.warning(
            "%s is not an active superuser, and there is no other one. In the database, set "
            "is_active and is_superuser of this user to true.",
            settings.FIRST_SUPERUSER,
        )
        return
    crud.user.create(
        db,
        obj_in=UserCreate(
            email=settings.FIRST_SUPERUSER,
            password=settings.FIRST_SUPERUSER_PASSWORD,
            is_superuser=True,
        ),
        allow_weak_password=True,  # The settings allow a weak password only in development.
    )
    logger.info("Created the first superuser, %s", settings.FIRST_SUPERUSER)
