"""Book what a statement shows and neither a webhook nor the janitor told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts.payment import StatementLineKind
from payment.domain.provider import ProviderRefused
from payment.domain.received import Received
from payment.domain.statement import Movement
from payment.effects.recover_received import recover_received
from payment.metrics import PROVIDER_FAILURES
from payment.ports import Deps

CHUNK: Final = 500


async def recover_movements(
    deps: Deps, movements: Sequence[Movement], *, start: datetime, end: datetime
) -> int:
    """Fetch back each Pix whose receipt or refund from `start` to `end` is not booked; answers how many.

    This is how a refund that was made outside, of a Pix too old for the janitor's windows, is found.
    """
    of_day = [movement for movement in movements if start <= movement.occurred_at < end]
    e2e_ids = [*await _not_received(deps, of_day), *await _not_refunded(deps, of_day)]
    found = 0
    for e2e_id in dict.fromkeys(e2e_ids):
        received = await _find(deps, e2e_id)
        if received is not None and received.ours:
            await recover_received(deps, received=received)
            found += 1
    return found


async def _find(deps: Deps, e2e_id: str) -> Received | None:
    """None when Efí will not look it up, now or later: one such row must not hold back the day's statement."""
    try:
        return await deps.provider.find_received(e2e_id)
    except ProviderRefused:
        PROVIDER_FAILURES.labels("find_received", "refused").inc()
        return None


async def _not_received(deps: Deps, movements: Sequence[Movement]) -> list[str]:
    e2e_ids = _e2e_ids(movements, kind=StatementLineKind.PIX_RECEIVED)
    unknown = []
    for first in range(0, len(e2e_ids), CHUNK):
        chunk = e2e_ids[first : first + CHUNK]
        async with deps.transaction() as tx:
            known = await tx.received.known(chunk)
        unknown += [e2e_id for e2e_id in chunk if e2e_id not in known]
    return unknown


async def _not_refunded(deps: Deps, movements: Sequence[Movement]) -> list[str]:
    unknown = []
    for movement in movements:
        if movement.kind is StatementLineKind.REFUND_SENT and movement.e2e_id is not None:
            async with deps.transaction() as tx:
                refunds = await tx.refunds.of_e2e(movement.e2e_id)
            if movement.return_id not in {refund.return_id for refund in refunds}:
                unknown.append(movement.e2e_id)
    return unknown


def _e2e_ids(movements: Sequence[Movement], *, kind: StatementLineKind) -> list[str]:
    named = (movement.e2e_id for movement in movements if movement.kind is kind)
    return list(dict.fromkeys(e2e_id for e2e_id in named if e2e_id is not None))
