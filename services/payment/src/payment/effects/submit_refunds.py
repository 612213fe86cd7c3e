"""Take refunds to Efí and follow them until it has decided."""

from datetime import timedelta

from payment.domain.provider import (
    ProviderError,
    ProviderRefund,
    ProviderRefused,
    ProviderUnclear,
    RefundState,
)
from payment.domain.refund import OPEN, Refund, RefundStatus
from payment.metrics import PROVIDER_FAILURES, REFUNDS_ENDED
from payment.ports import Deps
from payment.usecases.settle_refund import settle_refund


async def submit_refunds(deps: Deps) -> int:
    """`PUT /v2/pix/{e2eId}/devolucao/{id}` for new refunds, a query for those under way.

    The id is the refund's own, so a repeated call is the same refund; an unclear answer decides nothing. Pauses
    grow from question to question: a refund may take days, and its webhook is followed at once.
    """
    now = deps.now()
    until = now + timedelta(seconds=deps.policy.lease_s)
    async with deps.transaction() as tx:
        refunds = await tx.refunds.claim_open(now=now, until=until, limit=deps.policy.batch)
    for refund in refunds:
        await _follow(deps, refund)
    return len(refunds)


async def _follow(deps: Deps, refund: Refund) -> None:
    ask = _submit if refund.status is RefundStatus.REQUESTED else _find
    try:
        answer = await ask(deps, refund)
    except ProviderError as error:
        kind = "refused" if isinstance(error, ProviderRefused) else "unclear"
        PROVIDER_FAILURES.labels("refund", kind).inc()
        await _ask_later(deps, refund)
        return
    async with deps.transaction() as tx:
        status = await settle_refund(
            tx, refund_id=refund.id, payment_id=refund.payment_intent_id, answer=answer, now=deps.now()
        )
    if status in OPEN:
        await _ask_later(deps, refund)
    else:
        REFUNDS_ENDED.labels(refund.target, status).inc()


async def _ask_later(deps: Deps, refund: Refund) -> None:
    until = deps.policy.ask_refund_at(deps.now(), attempts=refund.attempts)
    async with deps.transaction() as tx:
        await tx.refunds.postpone(refund.id, until=until)


async def _submit(deps: Deps, refund: Refund) -> ProviderRefund:
    """A refusal counts only if Efí does not know the refund: an earlier call may have got through, and used
    up what a repeat is refused for."""
    try:
        return await deps.provider.refund(refund)
    except ProviderRefused as refusal:
        refused = ProviderRefund(state=RefundState.REFUSED, return_id="", reason=refusal.code)
        return await deps.provider.find_refund(refund) or refused


async def _find(deps: Deps, refund: Refund) -> ProviderRefund:
    """A refund under way ends by what Efí says of it, never because a query went wrong or found nothing."""
    found = await deps.provider.find_refund(refund)
    if found is None:
        raise ProviderUnclear("a refund under way is not found")
    return found
