"""Fetch the statements of complete days from Efí and publish them for the ledger."""

from collections.abc import Sequence
from datetime import date, timedelta

from kernel.business_day import day_bounds
from payment.domain.provider import ProviderError, ProviderRefused
from payment.domain.statement import CATCH_UP_DAYS, READY_AFTER, Movement, due_day, due_days
from payment.effects.publish_day_statement import publish_day_statement
from payment.metrics import PROVIDER_FAILURES
from payment.ports import Deps


async def publish_statement(deps: Deps) -> int:
    """Publish each complete day that was not, oldest first, thirty at most; answers how many lines.

    A day waits for Efí's own report, and at most `report_wait_s`: then the lists alone make its statement.
    """
    now = deps.now()
    async with deps.transaction() as tx:
        published = await tx.statements.published_since(due_day(now) - timedelta(days=CATCH_UP_DAYS))
        days = due_days(now, oldest=await tx.statements.oldest(), published=published)
    lines = 0
    for day in days:
        try:
            reported = await _reported(deps, day)
            statement = (
                None if reported is None else await publish_day_statement(deps, day=day, reported=reported)
            )
        except ProviderError:
            PROVIDER_FAILURES.labels("statement", "unclear").inc()
            break
        if statement is None:
            break
        lines += len(statement.lines)
    return lines


async def _reported(deps: Deps, day: date) -> Sequence[Movement] | None:
    """The report's movements; none when Efí will not or does not in time; None while it is worth waiting."""
    async with deps.transaction() as tx:
        asked = await tx.statements.report_of(day)
    since = day_bounds(day)[1] + READY_AFTER if asked is None else asked[1]
    movements = None
    try:
        if asked is None:
            await _ask(deps, day)
            return None
        movements = await deps.provider.report(asked[0])
    except ProviderRefused:
        PROVIDER_FAILURES.labels("report", "refused").inc()
        return ()
    except ProviderError:
        PROVIDER_FAILURES.labels("report", "unclear").inc()
    late = (deps.now() - since).total_seconds() > deps.policy.report_wait_s
    return () if movements is None and late else movements


async def _ask(deps: Deps, day: date) -> None:
    name = await deps.provider.request_report(day)
    async with deps.transaction() as tx:
        await tx.statements.note_report(day, report_id=name, now=deps.now())
