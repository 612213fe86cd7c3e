"""Post a manual journal that was approved."""

from datetime import datetime

from contracts.audit import audited
from kernel.actor import Actor
from ledger.domain.journal import Draft
from ledger.domain.manual import AlreadyPosted, manual_entry
from ledger.ports import Tx


async def create_journal_entry(tx: Tx, *, draft: Draft, actor: Actor, now: datetime) -> None:
    """Post `draft` at once; InvalidJournal when it does not balance, AlreadyPosted when its id is taken.

    The database takes a manual journal only with its approved proposal.
    """
    instruction = manual_entry(draft, now=now)
    if await tx.journals.by_transaction(draft.transaction_id) is not None:
        raise AlreadyPosted(draft.transaction_id)
    tx.book.add(instruction, now=now)
    if not await tx.book.post():
        raise AlreadyPosted(draft.transaction_id)
    await tx.publish(
        audited(
            "create_journal_entry",
            entity_type="journal",
            entity_id=draft.transaction_id,
            actor=actor,
            now=now,
            after={"description": draft.description, "amount": str(instruction.amount)},
        )
    )
