"""End charges whose time is over, by Efí's leave only."""

from datetime import timedelta

from payment.domain.charge import Charge
from payment.domain.provider import ChargeState, ProviderCharge, ProviderError, ProviderRefused
from payment.domain.received import Source
from payment.effects.apply_received import apply_received
from payment.metrics import PAYMENTS_EXPIRED, PROVIDER_FAILURES
from payment.ports import Deps
from payment.usecases.expire_charge import expire_charge


async def expire_pix_charges(deps: Deps) -> int:
    """Remove each overdue charge at Efí, then expire it; answers how many expired.

    When Efí refuses the removal because the charge was paid, it is confirmed instead.
    """
    now = deps.now()
    until = now + timedelta(seconds=deps.policy.lease_s)
    async with deps.transaction() as tx:
        charges = await tx.intents.claim_overdue(now=now, until=until, limit=deps.policy.batch)
    return sum([await _expire(deps, charge) for charge in charges])


async def _expire(deps: Deps, charge: Charge) -> bool:
    try:
        answer = await _remove(deps, charge)
    except ProviderError:
        PROVIDER_FAILURES.labels("remove_charge", "unclear").inc()
        return False
    if answer.state is ChargeState.PAID:
        for received in answer.received:
            await apply_received(deps, received=received, source=Source.JANITOR)
        return False
    if answer.state is ChargeState.ACTIVE:
        return False
    async with deps.transaction() as tx:
        expired = await expire_charge(tx, intent_id=charge.payment_intent_id, now=deps.now())
    PAYMENTS_EXPIRED.inc(expired)
    return expired


async def _remove(deps: Deps, charge: Charge) -> ProviderCharge:
    try:
        return await deps.provider.remove_charge(charge.txid)
    except ProviderRefused as refusal:
        if charge.submitted or refusal.code != "cobranca_nao_encontrada":
            raise
        # Efí never made it, and nothing submits an overdue charge any more.
        return ProviderCharge(state=ChargeState.REMOVED)
