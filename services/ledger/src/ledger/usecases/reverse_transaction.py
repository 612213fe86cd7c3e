"""Undo a posted journal by new entries."""

from datetime import datetime

from contracts.audit import audited
from kernel.actor import Actor
from kernel.refusals import NotFound
from ledger.domain.reversal import AlreadyReversed, reversal
from ledger.ports import Tx


async def reverse_transaction(
    tx: Tx, *, transaction_id: str, reason: str, actor: Actor, now: datetime
) -> None:
    """Post the opposite of every entry; NotFound, AlreadyReversed, NotReversible or NegativeBalance."""
    journal = await tx.journals.by_transaction(transaction_id)
    if journal is None:
        raise NotFound(transaction_id)
    tx.book.add(reversal(journal, reason=reason), now=now)
    if not await tx.book.post():
        raise AlreadyReversed(transaction_id)
    await tx.publish(
        audited(
            "reverse_transaction",
            entity_type="journal",
            entity_id=transaction_id,
            actor=actor,
            now=now,
            after={"amount": str(journal.total)},
            reason=reason,
        )
    )
