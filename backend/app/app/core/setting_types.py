"""Types of settings that need more than pydantic's own checks."""

import re
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from limits import parse_many
from pydantic import AfterValidator, AnyHttpUrl, FilePath, RedisDsn, TypeAdapter


def parse_list(value: object) -> object:
    """Parse a list of texts, written in JSON or separated by commas."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [text.strip() for text in value.split(",") if text.strip()]
    return TypeAdapter(list[str]).validate_json(value) if isinstance(value, str) else value


def normalise_origin(value: str) -> str:
    """Return the origin as browsers send it, without a trailing slash. Reject a URL with a path."""
    url = TypeAdapter(AnyHttpUrl).validate_python(value)
    if url.path not in (None, "/") or url.query or url.fragment:
        raise ValueError("must be like https://example.com, without a path")
    return str(url).rstrip("/")


def normalise_redis_url(value: str) -> str:
    if value:
        path = TypeAdapter(RedisDsn).validate_python(value).path or "/0"
        if not path.removeprefix("/").isdecimal():
            raise ValueError("must end with the number of a database, like redis://host:6379/0")
    # Celery's documentation uses CERT_REQUIRED, which redis-py rejects. Both accept "required".
    return re.sub(r"(?<=[?&]ssl_cert_reqs=)CERT_\w+", lambda match: match[0][5:].lower(), value)


def check_attempt_limit(value: str) -> str:
    """Return limits such as "5 per minute; 20 per hour". Raises ValueError if one is malformed."""
    parse_many(value)
    return value


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def check_file_store(value: str) -> str:
    if "://" in value and not re.fullmatch(r"s3://[a-z0-9.-]+(/.*)?", value):
        raise ValueError("must be the path of a folder, or like s3://bucket/prefix")
    return value


def validate_sentry_dsn(value: str) -> str:
    from sentry_sdk.utils import (  # Imported only if needed: it takes a tenth of a second.
        BadDsn,
        Dsn,
    )

    try:
        Dsn(value)
    except BadDsn as error:
        raise ValueError("must be a Sentry DSN, like https://key@host/1") from error
    return value


def validate_ca_file(value: Path) -> Path:
    try:
        ssl.create_default_context(cafile=value)
    except ssl.SSLError as error:
        raise ValueError("must be a file with certificates in PEM") from error
    return value


Origin = Annotated[str, AfterValidator(normalise_origin)]
RedisURL = Annotated[str, AfterValidator(normalise_redis_url)]
CAFile = Annotated[FilePath, AfterValidator(validate_ca_file)]
SentryDSN = Annotated[str, AfterValidator(validate_sentry_dsn)]
FileStore = Annotated[str, AfterValidator(check_file_store)]
AttemptLimit = Annotated[str, AfterValidator(check_attempt_limit)]
