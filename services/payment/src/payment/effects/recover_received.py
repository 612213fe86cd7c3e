"""Apply a Pix that Efí lists and that no webhook may have told of."""

from payment.domain.received import Received, Source
from payment.domain.webhook import Outcome
from payment.effects.apply_received import apply_received
from payment.effects.settle_devolutions import settle_devolutions
from payment.metrics import WEBHOOKS_MISSED
from payment.ports import Deps


async def recover_received(deps: Deps, *, received: Received) -> int:
    """1 when it was not booked yet, else 0. It is missed only when no webhook of it is stored."""
    async with deps.transaction() as tx:
        told = await tx.webhooks.seen(received.e2e_id)
    outcome = await apply_received(deps, received=received, source=Source.JANITOR)
    await settle_devolutions(deps, received=received)
    if outcome is Outcome.DUPLICATE:
        return 0
    if not told:
        WEBHOOKS_MISSED.inc()
    return 1
