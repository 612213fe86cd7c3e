"""One reconciliation case."""

from uuid import UUID

from kernel.refusals import NotFound
from ledger.domain.cases import Case
from ledger.ports import Tx


async def get_case(tx: Tx, *, case_id: UUID) -> Case:
    """NotFound."""
    found = await tx.cases.get(case_id)
    if found is None:
        raise NotFound(str(case_id))
    return found
