"""Open a reconciliation case."""

from ledger.domain.cases import Case
from ledger.ports import Tx


async def open_case(tx: Tx, *, case: Case) -> bool:
    """Once per external id, and tell; False when it is open or resolved already. Nothing posted is edited."""
    if not await tx.cases.open(case):
        return False
    await tx.publish(case.opened_fact())
    return True
