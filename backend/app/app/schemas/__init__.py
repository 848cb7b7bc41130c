from app.schemas.item import Item, ItemCreate, ItemUpdate
from app.schemas.msg import Msg
from app.schemas.token import Token, TokenPayload
from app.schemas.user import User, UserCreate, UserUpdate

__all__ = [
    "Item",
    "ItemCreate",
    "ItemUpdate",
    "Msg",
    "Token",
    "TokenPayload",
    "User",
    "UserCreate",
    "UserUpdate",
]
