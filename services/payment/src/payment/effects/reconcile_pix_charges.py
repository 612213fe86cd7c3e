"""The janitor: find what no webhook told, through the same use case."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from payment.domain.charge import Charge
from payment.domain.provider import ChargeState, ProviderError
from payment.domain.received import Received
from payment.domain.sweep import OVERLAP, windows
from payment.effects.recover_received import recover_received
from payment.metrics import PROVIDER_FAILURES
from payment.ports import Deps
from payment.usecases.expire_charge import expire_charge

CHUNK: Final = 500


async def reconcile_pix_charges(deps: Deps) -> int:
    """Ask Efí about ACTIVE charges older than the janitor's interval, and compare its list of received Pix
    with ours; answers how many Pix were found. Missed webhooks are counted, only when none is stored.
    """
    now = deps.now()
    found = 0
    while charges := await _stale(deps, now=now):
        answers = [await _reconcile(deps, charge) for charge in charges]
        found += sum(answer or 0 for answer in answers)
        # Where no question was answered Efí is away: the rest is asked about by a later run.
        if len(charges) < deps.policy.batch or all(answer is None for answer in answers):
            break
    return found + await _sweep(deps, now=now)


async def _stale(deps: Deps, *, now: datetime) -> Sequence[Charge]:
    async with deps.transaction() as tx:
        return await tx.intents.claim_stale(
            created_before=now - timedelta(seconds=deps.policy.janitor_s),
            now=now,
            until=now + timedelta(seconds=deps.policy.janitor_s),
            limit=deps.policy.batch,
        )


async def _reconcile(deps: Deps, charge: Charge) -> int | None:
    """How many Pix were found; None when Efí did not answer."""
    try:
        answer = await deps.provider.find_charge(charge.txid)
    except ProviderError:
        PROVIDER_FAILURES.labels("find_charge", "unclear").inc()
        return None
    found = sum([await recover_received(deps, received=received) for received in answer.received])
    if answer.state is ChargeState.REMOVED:
        async with deps.transaction() as tx:
            await expire_charge(tx, intent_id=charge.payment_intent_id, now=deps.now())
    return found


async def _sweep(deps: Deps, *, now: datetime) -> int:
    """Second and late Pix belong to charges that are no longer ACTIVE: only Efí's list shows them.

    From where the last sweep ended, less an overlap, window by window, so that after an outage the whole gap is
    walked and a failure loses no progress. A Pix younger than the janitor's interval is left to its webhook.
    """
    end = now - min(timedelta(seconds=deps.policy.janitor_s), OVERLAP)
    async with deps.transaction() as tx:
        swept = await tx.received.swept_until()
    start = (swept or end - timedelta(days=1)) - OVERLAP
    found = 0
    for opens, closes in windows(start, end=end):
        try:
            listed = [one async for one in deps.provider.list_received(start=opens, end=closes)]
        except ProviderError:
            PROVIDER_FAILURES.labels("list_received", "unclear").inc()
            return found
        found += await _recover(deps, listed)
        async with deps.transaction() as tx:
            await tx.received.sweep_to(closes)
    return found


async def _recover(deps: Deps, listed: Sequence[Received]) -> int:
    found = 0
    for first in range(0, len(listed), CHUNK):
        chunk = listed[first : first + CHUNK]
        found += sum([await recover_received(deps, received=one) for one in await _news(deps, chunk)])
    return found


async def _news(deps: Deps, chunk: Sequence[Received]) -> Iterable[Received]:
    """What is not booked, and what something goes back of."""
    async with deps.transaction() as tx:
        known = await tx.received.known([received.e2e_id for received in chunk])
    return [received for received in chunk if received.e2e_id not in known or received.devolutions]
