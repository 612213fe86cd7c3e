"""An audit record says who, what and from where."""

from datetime import UTC, datetime

from contracts.audit import audited
from kernel.actor import SYSTEM, Actor
from kernel.ids import new_id

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_an_audit_record_copies_its_actor_and_the_masked_change() -> None:
    user_id, entity_id = new_id(), new_id()
    actor = Actor(
        user_id=user_id, user_type="admin", ip_address="203.0.113.7", user_agent="app/1", request_id="r1"
    )
    record = audited(
        "approve_driver",
        entity_type="driver",
        entity_id=entity_id,
        actor=actor,
        now=NOW,
        before={"approval_status": "pending"},
        after={"approval_status": "approved"},
        reason="documents in order",
    )
    assert record.key() == record.entity_id == str(entity_id)
    assert (record.user_id, record.user_type, record.occurred_at) == (user_id, "admin", NOW)
    assert (record.ip_address, record.user_agent, record.request_id) == ("203.0.113.7", "app/1", "r1")
    assert (record.before, record.after) == ({"approval_status": "pending"}, {"approval_status": "approved"})
    assert record.reason == "documents in order"


def test_what_the_system_did_has_no_user_and_may_have_no_change() -> None:
    record = audited("expire_payment", entity_type="payment", entity_id="p1", actor=SYSTEM, now=NOW)
    assert (record.user_id, record.user_type) == (None, "system")
    assert record.before is record.after is None
    assert record.record_id != audited("x", entity_type="y", entity_id="z", actor=SYSTEM, now=NOW).record_id
