from datetime import datetime
from typing import TYPE_CHECKING

from pydantic.alias_generators import to_snake
from sqlalchemy import (
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, relationship

if TYPE_CHECKING:
    from app.models.user import User


class Base(DeclarativeBase):
    """The base class of every model.

    A model OrderLine gets a table order_line with an id, and the times at which the database
    created and last changed the row.
    """

    # A migration can drop a constraint only by its name. The names that PostgreSQL itself gives may
    # differ between databases.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )

    # Columns of type datetime have a time zone.
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012  # SQLAlchemy reads it

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=2)
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now(), sort_order=3
    )

    # An update also returns the values that the database sets.
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805  # SQLAlchemy calls it with the class
        return to_snake(cls.__name__)


def unique_keys(table: Table) -> list[list[str]]:
    """Return the columns of each unique constraint and index."""
    return [
        [column.name for column in key.columns]
        for key in [*table.constraints, *table.indexes]
        if isinstance(key, UniqueConstraint) or (isinstance(key, Index) and key.unique)
    ]


# Mark the column of a required reference with info=PROTECT: crud does not remove a row that another
# row requires. Give its foreign key ondelete="CASCADE", so that users can still be deleted, with
# everything they own and the rows that require it.
PROTECT = {"protect": True}


class OwnedBase(Base):
    """The base class of models whose rows belong to a user and are deleted with that user."""

    __abstract__ = True

    owner_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), index=True, sort_order=1
    )

    @declared_attr
    def owner(cls) -> Mapped["User"]:  # noqa: N805  # SQLAlchemy calls it with the class
        return relationship(foreign_keys=f"{cls.__name__}.owner_id", lazy="joined", innerjoin=True)
