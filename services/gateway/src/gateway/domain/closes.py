"""How a socket's end is told to the other side (RFC 6455 §7.4)."""

from dataclasses import dataclass
from typing import Final

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012

# What endpoints report but may never send: no code was given, the connection broke, TLS failed.
NO_CODE: Final = 1005
BROKEN: Final = frozenset({1006, 1015})
SENDABLE: Final = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})
MAX_REASON_BYTES: Final = 123


@dataclass(frozen=True, slots=True)
class Close:
    """The end of one side of a socket."""

    code: int
    reason: str = ""


def told_to_client(close: Close) -> Close:
    """A service that vanished will be back: 1012 makes the app connect again."""
    return _told(close, without_code=NORMAL, when_broken=SERVICE_RESTART)


def told_to_service(close: Close) -> Close:
    """An app that left without a code has gone: uvicorn reports a broken connection in the same way."""
    return _told(close, without_code=GOING_AWAY, when_broken=GOING_AWAY)


def _told(close: Close, *, without_code: int, when_broken: int) -> Close:
    reason = close.reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
    if close.code in SENDABLE:
        return Close(close.code, reason)
    if close.code == NO_CODE:
        return Close(without_code, reason)
    return Close(when_broken if close.code in BROKEN else INTERNAL_ERROR, reason)
