from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import crud
from app.core.config import settings
from app.core.security import create_access_token
from app.models import User
from app.schemas import UserCreate
from app.tests.utils.utils import random_email, random_lower_string


def user_authentication_headers(*, client: TestClient, email: str, password: str) -> dict[str, str]:
    response = client.post(
        f"{settings.API_V1_STR}/login/access-token",
        data={"username": email, "password": password},
    )
    return {"Authorization": f"Bearer {response.json()['access_token']}"}


def create_random_user(db: Session, **fields: Any) -> User:
    fields = {"email": random_email(), "password": random_lower_string()} | fields
    return crud.user.create(db, obj_in=UserCreate(**fields))


def auth_headers(user: User) -> dict[str, str]:
    """Return the Authorization header of this user."""
    token = create_access_token(user.id, password_hash=user.hashed_password)
    return {"Authorization": f"Bearer {token}"}


def authentication_token_from_email(
    *, client: TestClient, email: str, db: Session
) -> dict[str, str]:
    """Log in as the user with this email, and return the headers. Create the user if necessary."""
    password = random_lower_string()
    user = crud.user.get_by_email(db, email=email)
    if user is None:
        create_random_user(db, email=email, password=password)
    else:
        crud.user.update(db, db_obj=user, obj_in={"password": password})
    return user_authentication_headers(client=client, email=email, password=password)
