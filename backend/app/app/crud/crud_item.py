from app.crud.base import CRUDOwned
from app.models.item import Item
from app.schemas import item as schemas


class CRUDItem(CRUDOwned[Item, schemas.ItemCreate, schemas.ItemUpdate]):
    read_schema = schemas.Item
    create_schema = schemas.ItemCreate
    search_columns = (Item.title, Item.description)


item = CRUDItem(Item)
