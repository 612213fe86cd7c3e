"""The audit record: published by every service with a database, through its outbox. Values arrive masked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from contracts.base import Fact, Time
from contracts.topics import AUDIT
from kernel.actor import Actor
from kernel.ids import new_id


class AuditRecorded(Fact):
    """Who did what to which entity; `before` and `after` hold masked values only."""

    fact = "audit.recorded"
    topic = AUDIT
    key_field = "entity_id"
    record_id: UUID
    action: str
    entity_type: str
    entity_id: str
    user_id: UUID | None = None
    user_type: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    reason: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    occurred_at: Time


def audited(
    action: str,
    *,
    entity_type: str,
    entity_id: UUID | str,
    actor: Actor,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> AuditRecorded:
    """The record of `action` by `actor`. Mask personal data in `before` and `after` first."""
    return AuditRecorded(
        record_id=new_id(),
        action=action,
        entity_type=entity_type,
        entity_id=str(entity_id),
        user_id=actor.user_id,
        user_type=actor.user_type,
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
        reason=reason,
        ip_address=actor.ip_address,
        user_agent=actor.user_agent,
        request_id=actor.request_id,
        occurred_at=now,
    )


FACTS: Final[tuple[type[Fact], ...]] = (AuditRecorded,)
