"""Tell of what the bank cannot have meant."""

from datetime import datetime

from contracts.audit import audited
from kernel.actor import SYSTEM
from payout.domain.contradiction import Contradiction
from payout.domain.payout import Payout
from payout.ports import Tx


async def note_contradiction(tx: Tx, *, payout: Payout, found: Contradiction, now: datetime) -> bool:
    """Once a payout and reported status; False when it was told of before. Nothing of the payout changes."""
    if not await tx.payouts.add_contradiction(payout.id, found=found, now=now):
        return False
    await tx.publish(found.fact(payout, now=now))
    await tx.publish(
        audited(
            "note_contradiction",
            entity_type="payout",
            entity_id=payout.id,
            actor=SYSTEM,
            now=now,
            before={"status": found.known},
            after={"reported": found.reported},
            reason=found.detail,
        )
    )
    return True
