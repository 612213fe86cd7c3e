"""Fetch one day's statement from Efí and publish it for the ledger."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from kernel.business_day import day_bounds
from payment.domain.merging import merged
from payment.domain.provider import ProviderError
from payment.domain.statement import Movement, Statement, over
from payment.effects.recover_movements import recover_movements
from payment.metrics import PROVIDER_FAILURES, STATEMENTS_PUBLISHED
from payment.ports import Deps
from payment.usecases.store_statement import store_statement

# A refund or return is listed with the Pix that it belongs to, which may be some days old. Efí's report has those
# of older ones too.
LOOK_BACK: Final = timedelta(days=7)


async def publish_day_statement(
    deps: Deps, *, day: date, reported: Sequence[Movement] = ()
) -> Statement | None:
    """Publish one day by Efí's lists and what it `reported`; None when that was done. Raises ProviderError, and
    Invalid for a day that has not begun. Of a day under way it publishes what there is so far.
    """
    now = deps.now()
    complete = over(day, now=now)
    start, end = day_bounds(day)
    listed = [m async for m in deps.provider.movements(start=start - LOOK_BACK, end=min(end, now))]
    movements = merged(listed, reported)
    await recover_movements(deps, movements, start=start, end=end)
    balance = await _balance(deps)
    # At once: the ledger compares the balance with what is booked up to this moment.
    taken_at = deps.now()
    async with deps.transaction() as tx:
        statement = await store_statement(
            tx, day=day, movements=movements, now=taken_at, balance=balance, over=complete
        )
    if complete and statement is not None:
        STATEMENTS_PUBLISHED.inc()
    return statement


async def _balance(deps: Deps) -> Decimal | None:
    try:
        return await deps.provider.balance()
    except ProviderError:
        # Of use to whoever compares, and no reason to hold the statement back.
        PROVIDER_FAILURES.labels("balance", "unclear").inc()
        return None
