"""Redirects between a path with a trailing slash and the same path without it."""

from urllib.parse import quote

from fastapi import FastAPI
from starlette.responses import RedirectResponse
from starlette.routing import Match
from starlette.types import Receive, Scope, Send


def use_relative_redirects(app: FastAPI) -> None:
    """Replace the framework's redirects, whose Location repeats the Host header of the client."""
    app.router.redirect_slashes = False
    not_found = app.router.default

    async def redirect_or_not_found(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        other = path.rstrip("/") if path.endswith("/") else f"{path}/"
        target = {**scope, "path": other}
        if scope["type"] != "http" or all(
            route.matches(target)[0] is Match.NONE for route in app.routes
        ):
            await not_found(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        # Browsers would read a path with two leading slashes as a host.
        location = "/" + quote(other.lstrip("/")) + (f"?{query}" if query else "")
        await RedirectResponse(location)(scope, receive, send)

    app.router.default = redirect_or_not_found
