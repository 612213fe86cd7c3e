"""Keep the time to live of webhooks' sealed bodies."""

from payment.metrics import WEBHOOKS_SHREDDED
from payment.ports import Deps
from payment.usecases.shred_webhooks import shred_webhooks

BATCH = 500


async def shred_bodies(deps: Deps) -> int:
    """Shred all that is due, batch by batch; answers how many."""
    total = 0
    while True:
        async with deps.transaction() as tx:
            shredded = await shred_webhooks(tx, now=deps.now(), limit=BATCH)
        WEBHOOKS_SHREDDED.inc(shredded)
        total += shredded
        if shredded < BATCH:
            return total
