"""Identifiers: UUIDv7 (RFC 9562), which sort by the millisecond in which they were made."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new UUIDv7 as a plain `uuid.UUID`."""
    return uuid7()


def id_time(id_: UUID) -> datetime:
    """When a UUIDv7 was made (UTC, to the millisecond); ValueError for any other version."""
    number = id_.int
    if (number >> 62) & 0b11 != 0b10 or (number >> 76) & 0xF != 7:
        raise ValueError(f"not a UUIDv7: {id_}")
    return datetime.fromtimestamp((number >> 80) / 1000, tz=UTC)
