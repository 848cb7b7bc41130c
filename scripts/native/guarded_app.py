"""The application, without a proxy in front: it rejects the host names of websites, as the proxy does."""

import os
import re

from app.main import app as application
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

HOSTS = re.compile(rf"({os.environ['LOCAL_HOSTS']})(:\d+)?", re.IGNORECASE)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    # No website can have an IP address, localhost, or a domain of the settings as its name.
    if scope["type"] == "http" and not HOSTS.fullmatch(Headers(scope=scope).get("host", "")):
        await PlainTextResponse("The backend has another host name.", 403)(scope, receive, send)
    else:
        await application(scope, receive, send)
