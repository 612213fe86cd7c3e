"""Take refunds to Efí and follow them until it has decided."""

from datetime import timedelta

from payment.domain.provider import ProviderError, ProviderRefund, ProviderRefused, RefundState
from payment.domain.refund import Refund, RefundStatus
from payment.metrics import PROVIDER_FAILURES
from payment.ports import Deps
from payment.usecases.settle_refund import settle_refund


async def submit_refunds(deps: Deps) -> int:
    """`PUT /v2/pix/{e2eId}/devolucao/{id}` for new refunds, a query for those under way.

    The id is the refund's own, so a repeated call is the same refund; an unclear answer decides nothing.
    """
    now = deps.now()
    until = now + timedelta(seconds=deps.policy.backoff_s)
    async with deps.transaction() as tx:
        refunds = await tx.refunds.claim_open(now=now, until=until, limit=deps.policy.batch)
    for refund in refunds:
        await _follow(deps, refund)
    return len(refunds)


async def _follow(deps: Deps, refund: Refund) -> None:
    ask = deps.provider.refund if refund.status is RefundStatus.REQUESTED else deps.provider.find_refund
    try:
        answer = await ask(refund)
    except ProviderRefused as refusal:
        answer = ProviderRefund(state=RefundState.REFUSED, return_id="", reason=refusal.code)
    except ProviderError:
        PROVIDER_FAILURES.labels("refund", "unclear").inc()
        return
    async with deps.transaction() as tx:
        await settle_refund(
            tx, refund_id=refund.id, payment_id=refund.payment_intent_id, answer=answer, now=deps.now()
        )
