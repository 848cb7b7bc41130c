"""What endpoints ask for in their signatures."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from app import crud, models
from app.api.errors import NotAuthenticated
from app.core.config import settings
from app.db.session import ReadSession, SessionLocal


class BearerToken(OAuth2PasswordBearer):
    """The token of the request; tells no token from one of another scheme."""

    async def __call__(self, request: HTTPConnection) -> str:
        if "Authorization" not in request.headers:
            raise NotAuthenticated("Not authenticated")
        token = await super().__call__(request)
        if token is None:
            raise NotAuthenticated
        return token


reusable_oauth2 = BearerToken(
    tokenUrl=f"{settings.API_V1_STR}/login/access-token", auto_error=False
)
TokenDep = Annotated[str, Depends(reusable_oauth2)]


async def get_db() -> AsyncIterator[Session]:
    """One transaction for the request: committed before the response, or rolled back.

    Ask for it as SessionDep. A plain Depends(get_db) would commit after the response.
    """
    db = SessionLocal()
    try:
        yield db
        # OneThreadRoute has committed already; this is for a dependency that writes.
        if db.in_transaction():
            await _run_in_spare_thread(db.commit)
    finally:
        if db.in_transaction():
            await _run_in_spare_thread(db.rollback)


async def get_read_db() -> AsyncIterator[Session]:
    """A session for an endpoint that only reads; opening and closing it sends nothing."""
    with ReadSession() as db:
        yield db


async def _run_in_spare_thread(function: Callable[[], None]) -> None:
    # The usual threads may all be waiting for the connection that this one gives back.
    await to_thread.run_sync(function, limiter=CapacityLimiter(1))


# scope="function": left before the response is sent.
SessionDep = Annotated[Session, Depends(get_db, scope="function")]
ReadSessionDep = Annotated[Session, Depends(get_read_db, scope="function")]


def get_current_user(token: TokenDep) -> models.User:
    """Return the token's user, active or not, detached from any session.

    With a session of its own: a request never waits for a second connection while it
    holds one.
    """
    with ReadSession() as db:
        return crud.user.get_by_token(db, token=token, purposes=["access"])


async def get_current_active_user(
    current_user: Annotated[models.User, Depends(get_current_user)],
) -> models.User:
    if not crud.user.is_active(current_user):
        raise HTTPException(403, "Inactive user")
    return current_user


CurrentUser = Annotated[models.User, Depends(get_current_active_user)]


async def get_current_active_superuser(current_user: CurrentUser) -> models.User:
    if not crud.user.is_superuser(current_user):
        raise HTTPException(403, "The user doesn't have enough privileges")
    return current_user


CurrentSuperuser = Annotated[models.User, Depends(get_current_active_superuser)]
