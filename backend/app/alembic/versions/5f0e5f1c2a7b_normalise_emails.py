"""Normalise emails

An imported project may have stored addresses as they were typed. Store them in the form in which
the application compares them: in lower case, with a Unicode domain.

Revision ID: 5f0e5f1c2a7b
Revises: d4867f3a4c0a
Create Date: 2026-11-26 14:00:00
"""

import logging
from collections.abc import Sequence

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email

from alembic import op

revision: str = "5f0e5f1c2a7b"
down_revision: str | Sequence[str] | None = "d4867f3a4c0a"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

logger = logging.getLogger("alembic.normalise_emails")

user = sa.table("user", sa.column("id", sa.Integer), sa.column("email", sa.String))


def upgrade() -> None:
    if op.get_context().as_sql:
        return  # Without a connection, the addresses can't be read.
    connection = op.get_bind()
    rows = connection.execute(sa.select(user.c.id, user.c.email).order_by(user.c.id)).all()
    owners = {email: id_ for id_, email in rows}
    for id_, email in rows:
        try:
            address = validate_email(email, check_deliverability=False).normalized.lower()
        except EmailNotValidError as error:
            logger.warning("user %s has no valid address: %s", id_, error)
            continue
        owner = owners.setdefault(address, id_)
        if owner != id_:
            logger.warning(
                "user %s has the same address as user %s, %s, and can't log in. "
                "Change one of the two addresses, or delete one user.",
                id_,
                owner,
                address,
            )
        elif address != email:
            connection.execute(sa.update(user).where(user.c.id == id_).values(email=address))


def downgrade() -> None:
    # The original spelling of the addresses is lost.
    pass
