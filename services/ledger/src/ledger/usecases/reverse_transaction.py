"""Undo what is left of a posted journal by new entries."""

from datetime import datetime

from contracts.audit import audited
from kernel.actor import Actor
from kernel.refusals import NotFound
from ledger.domain.journal import Journal
from ledger.domain.reversal import AlreadyReversed, reversal, reversal_id
from ledger.ports import Tx


async def reverse_transaction(
    tx: Tx, *, transaction_id: str, reason: str, actor: Actor, now: datetime
) -> Journal:
    """The reversal. `transaction_id` may be the journal's id too.

    NotFound, AlreadyReversed, NotReversible or NegativeBalance.
    """
    journal = await tx.journals.find(transaction_id)
    if journal is None:
        raise NotFound(transaction_id)
    await tx.journals.lock_entity(journal.draft.entity_type, journal.draft.entity_id)
    tx.book.add(reversal(journal, reason=reason), now=now)
    if not await tx.book.post():
        raise AlreadyReversed(transaction_id)
    posted = await tx.journals.by_transaction(reversal_id(journal.draft.transaction_id))
    assert posted is not None, "what was posted can be read"
    await tx.publish(
        audited(
            "reverse_transaction",
            entity_type="journal",
            entity_id=journal.draft.transaction_id,
            actor=actor,
            now=now,
            after={"amount": str(posted.total), "transaction_id": posted.draft.transaction_id},
            reason=reason,
        )
    )
    return posted
