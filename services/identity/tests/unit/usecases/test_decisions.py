"""What administrators and drivers decide: saved, published, audited with masked values."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from identity_fakes import ADMIN, NOON, FakeTx, driver, passenger

from contracts.audit import AuditRecorded
from contracts.identity import ApprovalStatus, Profile, UserStatus
from identity.domain.account import Account
from identity.domain.user import IllegalTransition, OwnAccount
from identity.usecases.approve_driver import approve_driver
from identity.usecases.ban_user import ban_user
from identity.usecases.change_pix_key import change_pix_key
from identity.usecases.list_pending_drivers import list_pending_drivers
from identity.usecases.read_bank_details import read_bank_details
from identity.usecases.record_rating import record_rating
from identity.usecases.record_ride import record_ride
from identity.usecases.reinstate_user import reinstate_user
from identity.usecases.reject_driver import reject_driver
from identity.usecases.suspend_user import suspend_user
from kernel.documents import PixKeyType
from kernel.ids import new_id
from kernel.refusals import NotFound

Decide = Callable[..., Awaitable[Account]]


def audit_of(tx: FakeTx) -> AuditRecorded:
    return next(fact for fact, _ in tx.published if isinstance(fact, AuditRecorded))


def profile_of(tx: FakeTx) -> Profile:
    return [fact for fact, _ in tx.published if isinstance(fact, Profile)][-1]


async def test_approve_driver_tells_of_the_new_version() -> None:
    tx = FakeTx().holding(account := driver())
    approved = await approve_driver(tx, driver_id=account.id, actor=ADMIN, now=NOON)
    assert approved.approval_status is ApprovalStatus.APPROVED
    assert tx.facts() == ["driver.approved", "profile", "audit.recorded"]
    assert [version for _, version in tx.published][:2] == [2, 2]
    assert profile_of(tx).approval_status is ApprovalStatus.APPROVED
    record = audit_of(tx)
    assert (record.action, record.user_id, record.request_id) == ("approve_driver", ADMIN.user_id, "r-1")
    assert record.before == {"approval_status": "pending", "rejection_reason": None, "version": 1}
    assert record.after == {"approval_status": "approved", "rejection_reason": None, "version": 2}


async def test_reject_driver_keeps_and_audits_the_reason() -> None:
    tx = FakeTx().holding(account := driver())
    rejected = await reject_driver(tx, driver_id=account.id, reason="CNH vencida", actor=ADMIN, now=NOON)
    assert rejected.the_driver().rejection_reason == "CNH vencida"
    assert tx.facts() == ["driver.rejected", "profile", "audit.recorded"]
    assert audit_of(tx).reason == "CNH vencida"


async def test_a_rejected_driver_can_be_approved_and_an_approved_one_not_again() -> None:
    tx = FakeTx().holding(account := driver(approval=ApprovalStatus.REJECTED))
    await approve_driver(tx, driver_id=account.id, actor=ADMIN, now=NOON)
    with pytest.raises(IllegalTransition):
        await approve_driver(tx, driver_id=account.id, actor=ADMIN, now=NOON)
    with pytest.raises(IllegalTransition):
        await reject_driver(tx, driver_id=account.id, reason="r", actor=ADMIN, now=NOON)


async def test_only_drivers_are_approved() -> None:
    tx = FakeTx().holding(account := passenger())
    with pytest.raises(NotFound):
        await approve_driver(tx, driver_id=account.id, actor=ADMIN, now=NOON)
    with pytest.raises(NotFound):
        await approve_driver(tx, driver_id=new_id(), actor=ADMIN, now=NOON)


@pytest.mark.parametrize(
    ("decide", "status", "action", "fact"),
    [
        (suspend_user, UserStatus.SUSPENDED, "suspend_user", "user.suspended"),
        (ban_user, UserStatus.BANNED, "ban_user", "user.banned"),
    ],
)
async def test_keeping_a_user_out_ends_their_sessions(
    decide: Decide, status: UserStatus, action: str, fact: str
) -> None:
    tx = FakeTx().holding(account := passenger())
    decided = await decide(tx, user_id=account.id, reason="fraude", actor=ADMIN, now=NOON)
    assert decided.user.status is status
    assert tx.facts() == [fact, "profile", "audit.recorded", "session.revoked"]
    assert profile_of(tx).status is status
    record = audit_of(tx)
    assert (record.action, record.reason) == (action, "fraude")
    assert record.before == {"status": "active", "status_reason": None, "version": 1}
    assert record.after == {"status": status.value, "status_reason": "fraude", "version": 2}


@pytest.mark.parametrize("decide", [suspend_user, ban_user])
async def test_nobody_keeps_themselves_out(decide: Decide) -> None:
    with pytest.raises(OwnAccount):
        await decide(FakeTx(), user_id=ADMIN.user_id, reason="r", actor=ADMIN, now=NOON)


async def test_reinstate_user_lets_a_banned_user_in_again() -> None:
    tx = FakeTx().holding(account := driver())
    await ban_user(tx, user_id=account.id, reason="engano", actor=ADMIN, now=NOON)
    tx.published.clear()
    back = await reinstate_user(tx, user_id=account.id, reason="revisado", actor=ADMIN, now=NOON)
    assert back.active
    assert tx.facts() == ["user.reinstated", "profile", "audit.recorded"]


async def test_change_pix_key_audits_masked_values_only() -> None:
    tx = FakeTx().holding(account := driver())
    changed = await change_pix_key(
        tx,
        driver_id=account.id,
        pix_key="+5511987654321",
        pix_key_type=PixKeyType.PHONE,
        actor=ADMIN,
        now=NOON,
    )
    assert changed.the_driver().pix_key == "+5511987654321"
    assert tx.facts() == ["driver.pix_key.changed", "profile", "audit.recorded"]
    assert audit_of(tx).before == {"pix_key": "d***@exemplo.com.br", "pix_key_type": "email"}
    assert audit_of(tx).after == {"pix_key": "+5511*****4321", "pix_key_type": "phone"}
    assert "987654321" not in "".join(fact.model_dump_json() for fact, _ in tx.published)


async def test_read_bank_details_is_audited() -> None:
    tx = FakeTx().holding(account := driver(), other := passenger())
    read = await read_bank_details(tx, driver_id=account.id, actor=ADMIN, now=NOON)
    assert read == account
    assert audit_of(tx).action == "read_bank_details"
    assert account.the_driver().pix_key not in audit_of(tx).model_dump_json()
    with pytest.raises(NotFound):
        await read_bank_details(tx, driver_id=other.id, actor=ADMIN, now=NOON)


async def test_list_pending_drivers_walks_through_those_who_wait() -> None:
    tx = FakeTx().holding(
        first := driver(1), second := driver(2), driver(3, ApprovalStatus.APPROVED), passenger()
    )
    page = await list_pending_drivers(tx, limit=1, after=None)
    assert list(page) == [first]
    rest = await list_pending_drivers(tx, limit=10, after=(first.user.created_at, first.id))
    assert list(rest) == [second]


async def test_record_ride_counts_for_both_in_the_order_of_their_ids() -> None:
    tx = FakeTx().holding(rider := passenger(), drove := driver())
    await record_ride(tx, passenger_id=rider.id, driver_id=drove.id, now=NOON)
    assert tx.accounts.locked == sorted([rider.id, drove.id])
    totals: list[Any] = [fact for fact, _ in tx.published]
    assert [fact.total_rides for fact in totals] == [1, 1]


async def test_record_rating_moves_the_average() -> None:
    tx = FakeTx().holding(account := driver())
    for stars in (5, 4):
        await record_rating(tx, rated_id=account.id, stars=stars, now=NOON)
    assert str(profile_of(tx).average_rating) == "4.50"
    with pytest.raises(NotFound):
        await record_rating(tx, rated_id=new_id(), stars=5, now=NOON)
