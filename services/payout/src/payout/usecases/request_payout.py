"""Ask for a payout."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from contracts.audit import audited
from kernel.actor import Actor
from kernel.business_day import business_day, day_bounds
from kernel.refusals import NotYetKnown
from payout.domain.limits import Limits
from payout.domain.payout import InsufficientBalance, Payout
from payout.domain.policy import Policy
from payout.ports import Tx


async def request_payout(
    tx: Tx,
    *,
    payout_id: UUID,
    driver_id: UUID,
    amount: Decimal,
    policy: Policy,
    actor: Actor,
    now: datetime,
) -> Payout:
    """A PENDING payout.

    NotYetKnown, AccountNotActive, BelowMinimum, AboveMaximum; InsufficientBalance beyond what we know of,
    less what is asked for; PixKeyCoolingDown, PayoutLimitReached. The ledger decides about the balance
    later, under its own lock; our refusal only spares the driver a doomed payout.
    """
    standing = await tx.standings.get(driver_id)
    if standing is None:
        raise NotYetKnown(f"driver {driver_id}")
    standing.require_active()
    policy.limits.check_amount(amount)
    await _check_balance(tx, driver_id=driver_id, amount=amount)
    standing.require_settled_key(now=now, cooling_s=policy.pix_key_cooling_s)
    await _check_day(tx, driver_id=driver_id, amount=amount, limits=policy.limits, now=now)
    payout, requested = Payout.request(payout_id=payout_id, driver_id=driver_id, amount=amount, now=now)
    await tx.payouts.add(payout, due_at=now)
    await tx.publish(requested)
    await tx.publish(
        audited(
            "request_payout",
            entity_type="payout",
            entity_id=payout.id,
            actor=actor,
            now=now,
            after={"status": payout.status.value, "amount": str(amount)},
        )
    )
    return payout


async def _check_balance(tx: Tx, *, driver_id: UUID, amount: Decimal) -> None:
    """Locks the driver's known balance: from here on this driver's requests come one after another."""
    balance = await tx.balances.lock(driver_id)
    asked_for = await tx.payouts.asked_for(driver_id, beyond_version=balance.version)
    if not balance.covers(amount, asked_for=asked_for):
        raise InsufficientBalance


async def _check_day(tx: Tx, *, driver_id: UUID, amount: Decimal, limits: Limits, now: datetime) -> None:
    """The payouts themselves are counted, under a lock: a failed one gives its place back by failing."""
    start, end = day_bounds(business_day(now))
    if limits.driver.bounded:
        used = await tx.payouts.used(driver_id, start=start, end=end)
        limits.check_driver(amount, used=used, now=now)
    if limits.platform.bounded:
        await tx.payouts.lock_platform()
        used = await tx.payouts.used(None, start=start, end=end)
        limits.check_platform(amount, used=used, now=now)
