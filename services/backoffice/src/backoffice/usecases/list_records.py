"""Read the audit log."""

from collections.abc import Sequence

from backoffice.domain.record import Filter, Record
from backoffice.ports import Tx


async def list_records(
    tx: Tx, *, filter_: Filter, before_sequence: int | None, limit: int
) -> Sequence[Record]:
    """Up to `limit` + 1 records, newest first: the surplus one says that there is more."""
    return await tx.audit_log.find(filter_, before_sequence=before_sequence, limit=limit + 1)
