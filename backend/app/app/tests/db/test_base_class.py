import pytest
from sqlalchemy import MetaData

from app.db.base_class import Base


@pytest.mark.parametrize(
    ("model", "table"),
    [
        ("Parcel", "parcel"),
        ("OrderLine", "order_line"),
        ("HTTPLog", "http_log"),
        ("Page2Link", "page_2_link"),
    ],
)
def test_table_is_named_in_snake_case(model: str, table: str) -> None:
    class TableBase(Base):
        __abstract__ = True

        metadata = MetaData()

    created = type(model, (TableBase,), {"__module__": f"{__name__}.models"})
    assert issubclass(created, Base)
    assert created.__tablename__ == table
