"""Audit records for tests."""

from datetime import UTC, datetime
from typing import Any

from contracts.audit import AuditRecorded
from kernel.ids import new_id

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def a_record(**changes: Any) -> AuditRecorded:
    fields = {
        "record_id": new_id(),
        "action": "approve_driver",
        "entity_type": "driver",
        "entity_id": str(new_id()),
        "user_id": new_id(),
        "user_type": "admin",
        "before": {"approval_status": "pending"},
        "after": {"approval_status": "approved"},
        "ip_address": "203.0.113.7",
        "occurred_at": NOW,
        **changes,
    }
    return AuditRecorded(**fields)
