import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """Serves HEAD wherever GET is served, without the body of the response.

    The response is complete after its headers. A stream could last for long, and meanwhile block
    the connection for the next request, which a proxy may send for another client.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body"})

        await self.app({**scope, "method": "GET"}, receive, send_headers)


Headers = list[tuple[bytes, bytes]]


class SecurityHeaders:
    """Adds security headers to every response, except those that the endpoint sets itself.

    frontend/nginx.conf has the headers of the web app.
    """

    def __init__(self, app: ASGIApp, docs: Iterable[Response] = ()) -> None:
        """`docs` are the pages below /docs and /redoc that have inline scripts."""
        self.app = app
        self.hsts: Headers = [(b"strict-transport-security", b"max-age=31536000")]
        common: Headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (
                b"permissions-policy",
                b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            ),
        ]
        # Responses may contain tokens and personal data.
        self.api: Headers = [
            *common,
            (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
            (b"cache-control", b"no-store"),
        ]
        html = b"".join(page.body for page in docs)
        hashes = "".join(
            f" 'sha256-{b64encode(sha256(script).digest()).decode()}'"
            for script in re.findall(rb"<script>(.*?)</script>", html, re.DOTALL)
        )
        # Both pages create style elements. ReDoc searches in a worker.
        policy = (
            f"default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data:; connect-src 'self'; worker-src blob:; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        self.docs: Headers = [*common, (b"content-security-policy", policy.encode())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = self.docs if scope["path"].startswith(("/docs", "/redoc")) else self.api
        if scope["scheme"] == "https":
            headers = headers + self.hsts

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in message["headers"]}
                added = [header for header in headers if header[0] not in names]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self.app(scope, receive, send_with_headers)
