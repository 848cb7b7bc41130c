"""Add verified email and language

Revision ID: 8b1d3c6f2e47
Revises: 50fec45593fa
Create Date: 2026-11-27 17:45:00.000000
"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "8b1d3c6f2e47"
down_revision: str | Sequence[str] | None = "50fec45593fa"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # The defaults are the values of existing users. They remain while processes of the previous
    # version still create users.
    op.add_column(
        "user", sa.Column("is_verified", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column(
        "user", sa.Column("language", sa.String(length=8), nullable=False, server_default="en")
    )


def downgrade() -> None:
    op.drop_column("user", "language")
    op.drop_column("user", "is_verified")
