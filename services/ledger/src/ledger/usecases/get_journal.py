"""One posted journal."""

from kernel.refusals import NotFound
from ledger.domain.journal import Journal
from ledger.ports import Tx


async def get_journal(tx: Tx, *, name: str) -> Journal:
    """By its id or its transaction id; NotFound."""
    found = await tx.journals.find(name)
    if found is None:
        raise NotFound(name)
    return found
