"""CRUDBase on a model of the tests' own, with columns that the database changes."""

from datetime import datetime
from decimal import Decimal

import pytest
from pydantic import BaseModel
from sqlalchemy import Connection, MetaData, Numeric, func, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.crud.base import CRUDBase
from app.db.base_class import Base


class OwnBase(Base):
    __abstract__ = True

    # Not that of the application, whose tables Alembic compares with the database.
    metadata = MetaData()


class Price(OwnBase):
    amount: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    currency: Mapped[str] = mapped_column(server_default="EUR")
    changed_at: Mapped[datetime] = mapped_column(server_default=func.localtimestamp())
    label: Mapped[str | None]


class PriceIn(BaseModel):
    amount: Decimal
    label: str | None = None


TRIGGER = """
CREATE FUNCTION shout() RETURNS trigger AS 'BEGIN NEW.label = upper(NEW.label); RETURN NEW; END'
LANGUAGE plpgsql;
CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON price FOR EACH ROW EXECUTE FUNCTION shout();
"""

crud_price = CRUDBase[Price, PriceIn, PriceIn](Price)


@pytest.fixture
def price_table(connection: Connection) -> None:
    OwnBase.metadata.create_all(connection)
    connection.execute(text(TRIGGER))


@pytest.mark.usefixtures("price_table")
def test_created_row_is_what_the_database_stored(db: Session) -> None:
    price = crud_price.create(db, obj_in=PriceIn(amount=Decimal("1234.5"), label="net"))
    assert str(price.amount) == "1234.50"
    assert price.currency == "EUR"
    assert price.changed_at <= datetime.now()
    assert price.label == "NET"


@pytest.mark.usefixtures("price_table")
def test_updated_row_is_what_the_database_stored(db: Session) -> None:
    price = crud_price.create(db, obj_in=PriceIn(amount=Decimal(1)))
    crud_price.update(db, db_obj=price, obj_in={"amount": Decimal("0.999"), "label": "gross"})
    assert str(price.amount) == "1.00"
    assert price.label == "GROSS"
