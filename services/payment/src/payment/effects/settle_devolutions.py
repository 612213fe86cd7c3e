"""Take in what Efí says goes back of a Pix, whoever asked for it."""

from payment.domain.devolution import Devolution
from payment.domain.received import Received
from payment.domain.refund import OPEN
from payment.metrics import DEVOLUTIONS_WAITING, REFUNDS_ENDED
from payment.ports import Deps
from payment.usecases.adopt_devolution import adopt_devolution


async def settle_devolutions(deps: Deps, *, received: Received) -> bool:
    """`adopt_devolution` each, in a transaction of its own. False when one does not fit yet: come again."""
    settled = True
    for devolution in received.devolutions:
        if not await _settle(deps, received.e2e_id, devolution=devolution):
            DEVOLUTIONS_WAITING.inc()
            settled = False
    return settled


async def _settle(deps: Deps, e2e_id: str, *, devolution: Devolution) -> bool:
    async with deps.transaction() as tx:
        before = await tx.refunds.by_efi_id(e2e_id, devolution.efi_id)
        settled = await adopt_devolution(tx, e2e_id=e2e_id, devolution=devolution, now=deps.now())
        after = await tx.refunds.by_efi_id(e2e_id, devolution.efi_id)
    ended = {refund.id for refund in before if refund.status not in OPEN}
    for refund in after:
        if refund.status not in OPEN and refund.id not in ended:
            REFUNDS_ENDED.labels(refund.target, refund.status).inc()
    return settled
