from app.schemas.health import Health
from app.schemas.item import Item, ItemCreate, ItemQuery, ItemUpdate
from app.schemas.msg import Error, Msg, OAuth2Error
from app.schemas.page import PageQuery
from app.schemas.token import NewPassword, Token, TokenPayload
from app.schemas.user import (
    Registration,
    User,
    UserCreate,
    UserDeleteByID,
    UserDeleteMe,
    UserQuery,
    UserRegister,
    UserUpdate,
    UserUpdateByID,
    UserUpdateMe,
)

__all__ = [
    "Error",
    "Health",
    "Item",
    "ItemCreate",
    "ItemQuery",
    "ItemUpdate",
    "Msg",
    "NewPassword",
    "OAuth2Error",
    "PageQuery",
    "Registration",
    "Token",
    "TokenPayload",
    "User",
    "UserCreate",
    "UserDeleteByID",
    "UserDeleteMe",
    "UserQuery",
    "UserRegister",
    "UserUpdate",
    "UserUpdateByID",
    "UserUpdateMe",
]
