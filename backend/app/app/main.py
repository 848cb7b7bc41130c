import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import getrandbits

from anyio import to_thread
from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.docs import get_swagger_ui_html, get_swagger_ui_oauth2_redirect_html
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.middleware.errors import ServerErrorMiddleware

from app import __version__
from app.api.api_v1.api import api_routers
from app.api.errors import add_error_handlers, internal_error_response
from app.api.job_events import job_streams
from app.api.middleware import HeadAsGet, SecurityHeaders
from app.api.redirects import use_relative_redirects
from app.api.routing import include_routers
from app.api.shutdown import call_on_shutdown
from app.core.config import settings
from app.core.logging import configure_logging
from app.core.sentry import init_sentry
from app.db.session import THREADS

OPENAPI_URL = f"{settings.API_V1_STR}/openapi.json"
# Matches the request ids that the app accepts from a proxy. Other ids are replaced.
REQUEST_ID = re.compile(r"[\w.-]{1,128}", re.ASCII)

configure_logging()
init_sentry()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    to_thread.current_default_thread_limiter().total_tokens = THREADS
    call_on_shutdown(job_streams.shut_down)
    yield


def operation_id(route: APIRoute) -> str:
    """Name an operation like items-read_items, for readable generated clients."""
    return "-".join([*map(str, route.tags), route.name])


# Like FastAPI, but the app itself serves the scripts for /docs and /redoc.
app = FastAPIOffline(
    title=settings.PROJECT_NAME,
    version=__version__,
    openapi_url=OPENAPI_URL,
    static_url="/docs/static",
    generate_unique_id_function=operation_id,
    lifespan=lifespan,
)
# The middleware added last is the outermost. FastAPI's own ServerErrorMiddleware is outside all of
# them, so its responses would lack the CORS headers. This second one responds inside the CORS
# middleware, and then raises the error again.
app.add_middleware(ServerErrorMiddleware, handler=internal_error_response)
app.add_middleware(
    CORSMiddleware,
    allow_origins=settings.BACKEND_CORS_ORIGINS,
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
    expose_headers=["X-Total-Count", "Link", "Location", "Retry-After", "X-Request-ID"],
)
app.add_middleware(
    CorrelationIdMiddleware,
    # The default, uuid4, makes a system call, during which another thread may take over.
    generator=lambda: f"{getrandbits(128):032x}",  # not a secret
    validator=lambda request_id: REQUEST_ID.fullmatch(request_id) is not None,
    update_request_header=False,
)
app.add_middleware(HeadAsGet)
app.add_middleware(
    SecurityHeaders,
    docs=[
        get_swagger_ui_html(
            openapi_url=OPENAPI_URL,
            title="",
            oauth2_redirect_url=app.swagger_ui_oauth2_redirect_url,
            swagger_ui_parameters=app.swagger_ui_parameters,
        ),
        get_swagger_ui_oauth2_redirect_html(),
    ],
)
use_relative_redirects(app)
add_error_handlers(app)
include_routers(app, api_routers, prefix=settings.API_V1_STR)


@app.get("/api/", include_in_schema=False)
async def about() -> dict[str, str]:
    return {
        "name": settings.PROJECT_NAME,
        "version": __version__,
        "docs": "/docs",
        "redoc": "/redoc",
        "schema": OPENAPI_URL,
        "health": f"{settings.API_V1_STR}/utils/health/ready",
    }
