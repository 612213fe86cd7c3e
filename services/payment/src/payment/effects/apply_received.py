"""Apply a Pix that Efí described, and count it."""

from collections.abc import Sequence
from uuid import UUID

from payment.domain.received import Received, Source
from payment.domain.webhook import Outcome
from payment.metrics import CONFIRMATION_DELAY, PAYMENTS_CONFIRMED, PIX_HELD
from payment.ports import Deps
from payment.usecases.confirm_pix import confirm_pix


async def apply_received(
    deps: Deps, *, received: Received, source: Source, told_by: Sequence[UUID] = ()
) -> Outcome:
    """`confirm_pix` in a transaction of its own; the metrics move only after its commit.

    The webhook events `told_by` end in it too: the first with the outcome, the others as its duplicates.
    """
    now = deps.now()
    async with deps.transaction() as tx:
        outcome = await confirm_pix(
            tx, received=received, source=source, now=now, refund_second=deps.policy.refund_second_payments
        )
        if told_by:
            await tx.webhooks.finish(told_by[:1], outcome=outcome, now=now)
        if told_by[1:]:
            await tx.webhooks.finish(told_by[1:], outcome=Outcome.DUPLICATE, now=now)
    if outcome is Outcome.CONFIRMED:
        PAYMENTS_CONFIRMED.inc()
        CONFIRMATION_DELAY.observe(max((now - received.paid_at).total_seconds(), 0.0))
    elif outcome is Outcome.HELD:
        PIX_HELD.labels(source).inc()
    return outcome
