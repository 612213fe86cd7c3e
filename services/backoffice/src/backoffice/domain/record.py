"""An audit record: who did what to which entity. It is kept as it came, for good."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`sequence` is the order of arrival, 0 before it is stored; before and after hold masked values."""

    id: UUID
    action: str
    entity_type: str
    entity_id: str
    user_id: UUID | None
    user_type: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str | None
    ip_address: str | None
    user_agent: str | None
    request_id: str | None
    occurred_at: datetime
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What an operator looks for; `start` is included, `end` is not. None leaves a field open."""

    entity_type: str | None = None
    entity_id: str | None = None
    user_id: UUID | None = None
    action: str | None = None
    start: datetime | None = None
    end: datetime | None = None
