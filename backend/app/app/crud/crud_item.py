from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.crud.base import CRUDBase
from app.crud.exceptions import OwnerGone, violation_as
from app.models import Item
from app.schemas import ItemCreate, ItemUpdate


class CRUDItem(CRUDBase[Item, ItemCreate, ItemUpdate]):
    list_columns = (Item.id, Item.title, Item.description, Item.owner_id)
    search_columns = (Item.title, Item.description)

    def create_with_owner(self, db: Session, *, obj_in: ItemCreate, owner_id: int) -> Item:
        """Raises OwnerGone when there is no such user."""
        with violation_as(OwnerGone, "fk_item_owner_id_user"):
            return self._save(db, Item(**obj_in.model_dump(), owner_id=owner_id))

    def get_multi_by_owner(
        self, db: Session, *, owner_id: int, skip: int = 0, limit: int = 100
    ) -> Sequence[Item]:
        return self._get_multi(db, Item.owner_id == owner_id, skip=skip, limit=limit)


item = CRUDItem(Item)
