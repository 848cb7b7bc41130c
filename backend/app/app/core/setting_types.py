"""Types of settings that need more than pydantic's own checks."""

import re
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AnyHttpUrl, FilePath, RedisDsn, TypeAdapter


def parse_origins(value: object) -> object:
    """Take a JSON list or a comma-separated list."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [origin.strip() for origin in value.split(",") if origin.strip()]
    return TypeAdapter(list[str]).validate_json(value) if isinstance(value, str) else value


def check_origin(value: str) -> str:
    """Reject more than scheme, host and port; return it as browsers do, without a slash."""
    url = TypeAdapter(AnyHttpUrl).validate_python(value)
    if url.path not in (None, "/") or url.query or url.fragment:
        raise ValueError("must be like https://example.com, without a path")
    return str(url).rstrip("/")


def check_redis_url(value: str) -> str:
    if value:
        path = TypeAdapter(RedisDsn).validate_python(value).path or "/0"
        if not path.removeprefix("/").isdecimal():
            raise ValueError("must end with the number of a database, like redis://host:6379/0")
    # Celery documents this spelling, which redis-py rejects. Both know the other one.
    return re.sub(r"(?<=[?&]ssl_cert_reqs=)CERT_\w+", lambda match: match[0][5:].lower(), value)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def check_sentry_dsn(value: str) -> str:
    from sentry_sdk.utils import (  # Here, because importing it takes a tenth of a second.
        BadDsn,
        Dsn,
    )

    try:
        Dsn(value)
    except BadDsn as error:
        raise ValueError("must be a Sentry DSN, like https://key@host/1") from error
    return value


def check_ca_file(value: Path) -> Path:
    try:
        ssl.create_default_context(cafile=value)
    except ssl.SSLError as error:
        raise ValueError("must be a file with certificates in PEM") from error
    return value


Origin = Annotated[str, AfterValidator(check_origin)]
RedisURL = Annotated[str, AfterValidator(check_redis_url)]
CAFile = Annotated[FilePath, AfterValidator(check_ca_file)]
SentryDSN = Annotated[str, AfterValidator(check_sentry_dsn)]
