"""Error reports to Sentry, without request bodies, headers and secrets."""

from typing import TYPE_CHECKING, cast

from app.core.config import settings
from app.core.logging import hide_secrets

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint


def init_sentry() -> None:
    """Report unhandled errors, if SENTRY_DSN is set."""
    if not settings.SENTRY_DSN:
        return
    import sentry_sdk  # Imported only if needed: the import takes a tenth of a second.

    sentry_sdk.init(
        settings.SENTRY_DSN,
        environment=settings.ENVIRONMENT,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=remove_secrets,
    )


def remove_secrets(event: "Event", _: "Hint") -> "Event":
    """Drop headers, cookies and the query string: Sentry itself hides only some of them."""
    if request := event.get("request"):
        event["request"] = {key: request[key] for key in ("method", "url") if key in request}
    event.pop("user", None)
    # The extra values of a log record may contain secrets.
    event.pop("extra", None)
    # Error messages and log messages may contain a token or a password hash.
    return cast("Event", _hide_secrets_in(event))


def _hide_secrets_in(value: object) -> object:
    """Return a copy of the value, with the secrets in its texts hidden."""
    if isinstance(value, str):
        return hide_secrets(value)
    if isinstance(value, dict):
        return {key: _hide_secrets_in(each) for key, each in value.items()}
    return [_hide_secrets_in(each) for each in value] if isinstance(value, list | tuple) else value
