"""Act on stored notifications: fetch back what they speak of, then apply what Efí itself says."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from contracts.payment import ClaimKind
from payment.domain.booked import BookedPix
from payment.domain.claim import Claim, Rejection, unfounded
from payment.domain.provider import ProviderError, ProviderRefused
from payment.domain.received import Received, Source
from payment.domain.webhook import EventType, Outcome, WebhookEvent
from payment.effects.apply_received import apply_received
from payment.effects.reject_claims import reject_claims
from payment.effects.settle_devolutions import settle_devolutions
from payment.metrics import PROVIDER_FAILURES, WEBHOOKS_RECEIVED
from payment.ports import Deps
from payment.usecases.report_send import report_send


async def process_webhooks(deps: Deps) -> int:
    """Claim a batch of events and finish or postpone each; answers how many were claimed.

    Equal events are handled together, so that fifty deliveries of one Pix cost one query.
    """
    now = deps.now()
    until = now + timedelta(seconds=deps.policy.lease_s)
    async with deps.transaction() as tx:
        events = await tx.webhooks.claim(now=now, until=until, limit=deps.policy.batch)
        named = [event.e2e_id for event in events if event.e2e_id is not None]
        booked = await tx.received.known(named) if named else frozenset()
    turn = asyncio.Semaphore(deps.policy.parallel)
    await asyncio.gather(*(_process(deps, group, booked=booked, turn=turn) for group in _groups(events)))
    return len(events)


def _groups(events: Iterable[WebhookEvent]) -> list[Sequence[WebhookEvent]]:
    groups: dict[tuple[str, str], list[WebhookEvent]] = defaultdict(list)
    for event in events:
        name = event.reference if event.event_type is EventType.SEND else event.e2e_id
        groups[event.event_type, name or str(event.id)].append(event)
    return list(groups.values())


async def _process(
    deps: Deps, group: Sequence[WebhookEvent], *, booked: frozenset[str], turn: asyncio.Semaphore
) -> None:
    async with turn:
        match group[0].event_type:
            case EventType.RECEIVED if _e2e_id(group) in booked:
                await _repeated(deps, group)
            case EventType.RECEIVED:
                await _fetch_back(deps, group)
            case EventType.REFUND:
                await _fetch_back(deps, group)
            case EventType.SEND:
                await _forward(deps, group)
            case _:
                # Kept for a person to look at; what it may have meant the janitor finds.
                await _finish(deps, group, outcome=Outcome.UNREADABLE)


async def _repeated(deps: Deps, group: Sequence[WebhookEvent]) -> None:
    """What is booked is Efí's word already, and stays booked."""
    async with deps.transaction() as tx:
        booked = await tx.received.get(_e2e_id(group))
    assert booked is not None, "a booked Pix is never deleted"
    await reject_claims(deps, _unfounded(group, booked))
    await _finish(deps, group, outcome=Outcome.DUPLICATE)


async def _fetch_back(deps: Deps, group: Sequence[WebhookEvent]) -> None:
    e2e_id = _e2e_id(group)
    try:
        received = await deps.provider.find_received(e2e_id)
    except ProviderRefused:
        # No e2eId of any Pix: Efí will not look it up, now or later.
        PROVIDER_FAILURES.labels("find_received", "refused").inc()
        received = None
    except ProviderError:
        PROVIDER_FAILURES.labels("find_received", "unclear").inc()
        await _postpone(deps, group)
        return
    if received is not None:
        await _apply(deps, group, received=received)
    elif max(event.attempts for event in group) >= deps.policy.not_found_attempts:
        await _give_up(deps, group)
    else:
        await _postpone(deps, group)


async def _apply(deps: Deps, group: Sequence[WebhookEvent], *, received: Received) -> None:
    await reject_claims(deps, _unfounded(group, received))
    if not received.ours:
        await _finish(deps, group, outcome=Outcome.REJECTED)
        return
    if group[0].event_type is EventType.RECEIVED and not received.devolutions:
        await _apply_at_once(deps, group, received=received)
        return
    outcome = await apply_received(deps, received=received, source=Source.WEBHOOK)
    if not await settle_devolutions(deps, received=received):
        await _postpone(deps, group)
        return
    if group[0].event_type is EventType.REFUND:
        await _finish(deps, group, outcome=Outcome.REFUND_NOTED)
        return
    await _finish(deps, group[:1], outcome=outcome)
    if len(group) > 1:
        await _finish(deps, group[1:], outcome=Outcome.DUPLICATE)


async def _apply_at_once(deps: Deps, group: Sequence[WebhookEvent], *, received: Received) -> None:
    """Nearly every webhook: one Pix, nothing gone back of it, and one transaction for all there is to do."""
    told_by = [event.id for event in group]
    outcome = await apply_received(deps, received=received, source=Source.WEBHOOK, told_by=told_by)
    WEBHOOKS_RECEIVED.labels(EventType.RECEIVED, outcome).inc()
    if len(group) > 1:
        WEBHOOKS_RECEIVED.labels(EventType.RECEIVED, Outcome.DUPLICATE).inc(len(group) - 1)


async def _give_up(deps: Deps, group: Sequence[WebhookEvent]) -> None:
    """Efí does not know it, asked again and again: a forged notification, or another customer's."""
    told = group[0]
    rejection = Rejection(
        kind=ClaimKind.UNKNOWN_PIX, e2e_id=_e2e_id(group), txid=told.txid, claimed=told.amount
    )
    await reject_claims(deps, [rejection])
    await _finish(deps, group, outcome=Outcome.NOT_FOUND)


def _unfounded(group: Sequence[WebhookEvent], truth: Received | BookedPix) -> list[Rejection]:
    return unfounded(
        [Claim(txid=event.txid, amount=event.amount) for event in group],
        e2e_id=truth.e2e_id,
        txid=truth.txid,
        amount=truth.amount,
        ours=not isinstance(truth, Received) or truth.ours,
    )


def _e2e_id(group: Sequence[WebhookEvent]) -> str:
    e2e_id = group[0].e2e_id
    assert e2e_id is not None, "a received Pix is named by its e2eId"
    return e2e_id


async def _forward(deps: Deps, group: Sequence[WebhookEvent]) -> None:
    async with deps.transaction() as tx:
        await report_send(tx, event=group[-1], now=deps.now())
        await tx.webhooks.finish([event.id for event in group], outcome=Outcome.FORWARDED, now=deps.now())
    WEBHOOKS_RECEIVED.labels(EventType.SEND, Outcome.FORWARDED).inc(len(group))


async def _finish(deps: Deps, group: Sequence[WebhookEvent], *, outcome: Outcome) -> None:
    async with deps.transaction() as tx:
        await tx.webhooks.finish([event.id for event in group], outcome=outcome, now=deps.now())
    WEBHOOKS_RECEIVED.labels(group[0].event_type, outcome).inc(len(group))


async def _postpone(deps: Deps, group: Sequence[WebhookEvent]) -> None:
    attempts = max(event.attempts for event in group)
    async with deps.transaction() as tx:
        until = deps.policy.retry_at(deps.now(), attempts=attempts)
        await tx.webhooks.postpone([event.id for event in group], until=until)
