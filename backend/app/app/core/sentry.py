"""Error reports to Sentry, without anything that a user entered."""

from typing import TYPE_CHECKING

from app.core.config import settings

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
        before_send=keep_method_and_url,
    )


def keep_method_and_url(event: "Event", _: "Hint") -> "Event":
    """Drop headers, cookies and the query: by default Sentry hides only some of them."""
    if request := event.get("request"):
        event["request"] = {key: request[key] for key in ("method", "url") if key in request}
    event.pop("user", None)
    return event
