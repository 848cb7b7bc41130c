"""The tokens of a session. The web app's refresh token is in a cookie that no script can read."""

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from app.api.exceptions import ForeignOrigin
from app.api.routing import raises
from app.core.config import settings
from app.core.security import create_access_token, create_token
from app.models.user_session import UserSession
from app.schemas.token import Token

IDLE = timedelta(hours=settings.SESSION_IDLE_HOURS)
_server = urlsplit(settings.SERVER_HOST)
# Contains the port, because browsers send a cookie to all ports of a host.
COOKIE = re.sub(r"[^A-Za-z0-9]+", "-", f"{settings.STACK_NAME}-{_server.port or ''}-session")
COOKIE_PATH = f"{settings.API_V1_STR}/login"


def access_token(session: UserSession) -> Token:
    token = create_access_token(session.owner_id, session=session.id, secret=session.secret)
    return Token(access_token=token, expires_in=settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60)


def refresh_token(session: UserSession) -> str:
    claims = {"session": session.id, "generation": session.generation}
    return create_token("refresh", session.owner_id, IDLE, session.secret, **claims)


def set_refresh_cookie(request: Request, response: Response, session: UserSession) -> None:
    response.set_cookie(
        COOKIE,
        refresh_token(session),
        max_age=int(IDLE.total_seconds()),
        path=COOKIE_PATH,
        secure="https" in (request.url.scheme, _server.scheme),
        httponly=True,
        samesite="strict",
    )


@raises(ForeignOrigin)
async def get_refresh_cookie(request: Request) -> str:
    """Return the refresh token or an empty string. Reject requests from pages of other origins."""
    origin = request.headers.get("origin")  # Only browsers send it.
    is_own = origin is None or origin.partition("://")[2] == request.headers.get("host")
    if not is_own and origin not in settings.BACKEND_CORS_ORIGINS:
        raise ForeignOrigin
    # Not a parameter of the type Cookie: the API's schema must not depend on STACK_NAME.
    return request.cookies.get(COOKIE, "")


RefreshCookie = Annotated[str, Depends(get_refresh_cookie)]
