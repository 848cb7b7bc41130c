from contextlib import nullcontext
from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session, object_session

from app import crud
from app.core.config import settings
from app.core.security import create_access_token
from app.db.session import SessionLocal
from app.models import User, UserSession
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


def start_session(user: User) -> UserSession:
    """Start a session of this user, in the transaction that created the user, if it is open."""
    db = object_session(user)
    with SessionLocal.begin() if db is None else nullcontext(db) as db:
        return crud.session.create(
            db,
            owner_id=user.id,
            lifetime=timedelta(hours=1),
            user_agent="Tests",
            address="192.0.2.1",
        )


def access_token(session: UserSession, expires_delta: timedelta | None = None) -> str:
    return create_access_token(
        session.owner_id, expires_delta, session=session.id, secret=session.secret
    )


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def auth_headers(user: User) -> dict[str, str]:
    """Return the Authorization header of a new session of this user."""
    return bearer(access_token(start_session(user)))


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
