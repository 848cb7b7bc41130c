"""Error reports to Sentry, without anything that a user entered."""

from typing import TYPE_CHECKING, cast

from app.core.config import settings
from app.core.logging import hide_secrets

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint


def init_sentry() -> None:
    """Report unhandled errors, where SENTRY_DSN says so."""
    if not settings.SENTRY_DSN:
        return
    import sentry_sdk  # Here, because importing it takes a tenth of a second.

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
    """Drop headers, cookies and the query: by default Sentry hides only some of them."""
    if request := event.get("request"):
        event["request"] = {key: request[key] for key in ("method", "url") if key in request}
    event.pop("user", None)
    # A log line's extra values, of which nothing else is known.
    event.pop("extra", None)
    # Errors and log lines may quote a token or a hash.
    return cast("Event", _hidden(event))


def _hidden(value: object) -> object:
    """Return the value with the secrets hidden in each text of it."""
    if isinstance(value, str):
        return hide_secrets(value)
    if isinstance(value, dict):
        return {key: _hidden(each) for key, each in value.items()}
    return [_hidden(each) for each in value] if isinstance(value, list | tuple) else value
