"""The janitor: find what no webhook told, through the same use case."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta

from payment.domain.charge import Charge
from payment.domain.provider import ChargeState, ProviderError
from payment.domain.received import Received, Source
from payment.domain.webhook import Outcome
from payment.effects.apply_received import apply_received
from payment.metrics import PROVIDER_FAILURES, WEBHOOKS_MISSED
from payment.ports import Deps
from payment.usecases.expire_charge import expire_charge

OVERLAP_S = 600.0
CHUNK = 500


async def reconcile_pix_charges(deps: Deps) -> int:
    """Ask Efí about ACTIVE charges older than the janitor's interval, and compare its list of received Pix
    with ours; answers how many Pix were found. Missed webhooks are counted, only when none is stored.
    """
    now = deps.now()
    found = 0
    for charge in await _stale(deps, now=now):
        found += await _reconcile(deps, charge)
    return found + await _sweep(deps, now=now)


async def _stale(deps: Deps, *, now: datetime) -> Iterable[Charge]:
    async with deps.transaction() as tx:
        return await tx.intents.claim_stale(
            created_before=now - timedelta(seconds=deps.policy.janitor_s),
            now=now,
            until=now + timedelta(seconds=deps.policy.janitor_s),
            limit=deps.policy.batch,
        )


async def _reconcile(deps: Deps, charge: Charge) -> int:
    try:
        answer = await deps.provider.find_charge(charge.txid)
    except ProviderError:
        PROVIDER_FAILURES.labels("find_charge", "unclear").inc()
        return 0
    found = sum([await _recover(deps, received) for received in answer.received])
    if answer.state is ChargeState.REMOVED:
        async with deps.transaction() as tx:
            await expire_charge(tx, intent_id=charge.payment_intent_id, now=deps.now())
    return found


async def _sweep(deps: Deps, *, now: datetime) -> int:
    """Second and late Pix belong to charges that are no longer ACTIVE: only Efí's list shows them.

    A Pix younger than the janitor's interval is left to its webhook.
    """
    end = now - timedelta(seconds=min(deps.policy.janitor_s, OVERLAP_S))
    async with deps.transaction() as tx:
        swept = await tx.received.swept_until()
    start = (swept or end - timedelta(days=1)) - timedelta(seconds=OVERLAP_S)
    try:
        found = sum(
            [await _recover(deps, received) async for received in _unknown(deps, start=start, end=end)]
        )
    except ProviderError:
        PROVIDER_FAILURES.labels("list_received", "unclear").inc()
        return 0
    async with deps.transaction() as tx:
        await tx.received.sweep_to(end)
    return found


async def _unknown(deps: Deps, *, start: datetime, end: datetime) -> AsyncIterator[Received]:
    listed = [received async for received in deps.provider.list_received(start=start, end=end)]
    for first in range(0, len(listed), CHUNK):
        chunk = listed[first : first + CHUNK]
        async with deps.transaction() as tx:
            known = await tx.received.known([received.e2e_id for received in chunk])
        for received in chunk:
            if received.e2e_id not in known:
                yield received


async def _recover(deps: Deps, received: Received) -> int:
    async with deps.transaction() as tx:
        told = await tx.webhooks.seen(received.e2e_id)
    outcome = await apply_received(deps, received=received, source=Source.JANITOR)
    if outcome is Outcome.DUPLICATE:
        return 0
    if not told:
        WEBHOOKS_MISSED.inc()
    return 1
