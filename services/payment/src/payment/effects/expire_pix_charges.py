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

    When Efí refuses the removal because the charge was paid, it is confirmed instead, unless that was too
    little: then it ends, with its money held, and the ride can be paid by another.
    """
    now = deps.now()
    until = now + timedelta(seconds=deps.policy.lease_s)
    expired = 0
    while True:
        async with deps.transaction() as tx:
            charges = await tx.intents.claim_overdue(now=now, until=until, limit=deps.policy.batch)
        ended = sum([await _expire(deps, charge) for charge in charges])
        expired += ended
        # Where nothing ended Efí is away, as a rule: the rest is claimed by a later run.
        if len(charges) < deps.policy.batch or not ended:
            return expired


async def _expire(deps: Deps, charge: Charge) -> bool:
    try:
        answer = await _remove(deps, charge)
    except ProviderError:
        PROVIDER_FAILURES.labels("remove_charge", "unclear").inc()
        return False
    for received in answer.received:
        await apply_received(deps, received=received, source=Source.JANITOR)
    if not _over(answer):
        return False
    async with deps.transaction() as tx:
        expired = await expire_charge(tx, intent_id=charge.payment_intent_id, now=deps.now())
    PAYMENTS_EXPIRED.inc(expired)
    return expired


def _over(answer: ProviderCharge) -> bool:
    """Whether nobody can pay the charge any more and all that was paid is known.

    A charge that was paid short is over too: Efí takes one Pix for it, and the ride needs another.
    """
    return answer.state is ChargeState.REMOVED or (answer.state is ChargeState.PAID and bool(answer.received))


async def _remove(deps: Deps, charge: Charge) -> ProviderCharge:
    try:
        return await deps.provider.remove_charge(charge.txid)
    except ProviderRefused as refusal:
        if charge.submitted or refusal.code != "cobranca_nao_encontrada":
            raise
        # Efí never made it, and nothing submits an overdue charge any more.
        return ProviderCharge(state=ChargeState.REMOVED)
