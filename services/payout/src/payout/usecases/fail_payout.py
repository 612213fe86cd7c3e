"""A payout will not happen."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.audit import audited
from kernel.actor import SYSTEM
from kernel.refusals import NotFound
from payout.domain.payout import Payout
from payout.domain.step import FailureReason, Step
from payout.ports import Tx


async def fail_payout(
    tx: Tx,
    *,
    payout_id: UUID,
    reason: FailureReason,
    now: datetime,
    heard: Mapping[str, Any] | None = None,
) -> Payout:
    """FAILED, once. Only for proof: a refusal of the ledger, of identity or of the bank, never for age."""
    payout = await tx.payouts.lock(payout_id)
    if payout is None:
        raise NotFound(str(payout_id))
    if payout.step is Step.FAILED:
        return payout
    failed, fact = payout.fail(reason, now=now, heard=heard)
    await tx.payouts.save(failed, due_at=None)
    await tx.publish(fact)
    await tx.publish(
        audited(
            "fail_payout",
            entity_type="payout",
            entity_id=payout.id,
            actor=SYSTEM,
            now=now,
            before={"status": payout.status.value},
            after={"status": failed.status.value, "failure_reason": reason.value},
            reason=reason.value,
        )
    )
    return failed
