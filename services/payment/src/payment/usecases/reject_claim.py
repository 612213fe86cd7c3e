"""Tell that a webhook claimed what Efí does not confirm."""

from datetime import datetime

from payment.domain.claim import Rejection
from payment.ports import Tx


async def reject_claim(tx: Tx, *, rejection: Rejection, now: datetime) -> bool:
    """Publish it once a Pix, kind and reference; False when it was told before."""
    if not await tx.claims.reject(rejection, now=now):
        return False
    await tx.publish(rejection.fact(now=now))
    return True
