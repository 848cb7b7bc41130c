from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

ALEMBIC_INI = Path(__file__).parents[2] / "alembic.ini"


def current_revisions(db: Session) -> set[str]:
    """Return the database's revision, or an empty set if no migration has ever run."""
    return set(MigrationContext.configure(db.connection()).get_current_heads())


@cache
def newest_revisions() -> set[str]:
    """Return the revision that the code expects. Cached, because reading the files takes time."""
    return set(ScriptDirectory.from_config(Config(ALEMBIC_INI)).get_heads())
