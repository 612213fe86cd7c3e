"""Crash reports go to Sentry when a DSN file is given; they are masked like everything else."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from telemetry.masking import mask

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint


def configure_crash_reports(dsn_file: Path | None, *, service: str, environment: str) -> None:
    """Start Sentry's client; without a file, nothing happens."""
    if dsn_file is None:
        return
    import sentry_sdk  # a tenth of a second that most processes need not pay

    sentry_sdk.init(
        dsn=dsn_file.read_text().strip(),
        environment=environment,
        server_name=service,
        include_local_variables=False,
        max_request_body_size="never",
        before_send=before_send,
        before_breadcrumb=_before_breadcrumb,
    )


def before_send(event: "Event", _hint: "Hint") -> "Event | None":
    """The event with headers, cookies and body removed and all its texts masked."""
    request = cast(dict[str, Any], event.get("request") or {})
    for name in ("headers", "cookies", "data", "query_string", "env"):
        request.pop(name, None)
    return cast("Event", mask(event))


def _before_breadcrumb(crumb: dict[str, Any], _hint: dict[str, Any]) -> dict[str, Any] | None:
    return cast(dict[str, Any], mask(crumb))
