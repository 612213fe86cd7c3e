"""A message to one user, and the frame that an app receives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`type` is the bare fact ("ride.accepted"); `id` the event's; `data` JSON values only."""

    user_id: UUID
    id: UUID
    type: str
    occurred_at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A message with its place in the user's log: offsets start at 1 and have no gaps.

    `traceparent` (W3C) names the trace that caused it; None when nobody traced it. It travels beside the
    frame, never in it.
    """

    offset: int
    message: Message
    traceparent: str | None = None


def frame(message: Message, *, offset: int | None = None) -> dict[str, Any]:
    """What goes over the socket; location frames carry no offset."""
    made: dict[str, Any] = {
        "type": message.type,
        "id": str(message.id),
        "occurred_at": rfc3339(message.occurred_at),
        "data": dict(message.data),
    }
    if offset is not None:
        made["offset"] = offset
    return made


def rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
