"""Identifiers: UUIDv7 (RFC 9562), which sort by the millisecond in which they were made."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new UUIDv7 as a plain `uuid.UUID`."""
    return uuid7()


def id_time(id_: UUID) -> datetime:
    """When a UUIDv7 was made (UTC, to the millisecond); ValueError for any other version."""
    if id_.version != 7:
        raise ValueError(f"not a UUIDv7: {id_}")
    return datetime.fromtimestamp((id_.int >> 80) / 1000, tz=UTC)
