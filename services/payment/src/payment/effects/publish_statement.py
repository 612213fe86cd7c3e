"""Fetch yesterday's statement from Efí and publish it for the ledger."""

from datetime import timedelta

from kernel.business_day import day_bounds
from payment.domain.provider import ProviderError
from payment.domain.statement import due_day
from payment.metrics import PROVIDER_FAILURES
from payment.ports import Deps
from payment.usecases.store_statement import store_statement

# A refund or return is listed with the Pix that it belongs to, which may be some days old.
LOOK_BACK = timedelta(days=7)


async def publish_statement(deps: Deps) -> int:
    """Publish the last complete day's lines unless that was done; answers how many lines."""
    day = due_day(deps.now())
    async with deps.transaction() as tx:
        if await tx.statements.published(day):
            return 0
    start, end = day_bounds(day)
    try:
        movements = [m async for m in deps.provider.movements(start=start - LOOK_BACK, end=end)]
    except ProviderError:
        PROVIDER_FAILURES.labels("statement", "unclear").inc()
        return 0
    async with deps.transaction() as tx:
        return await store_statement(tx, day=day, movements=movements, now=deps.now()) or 0
