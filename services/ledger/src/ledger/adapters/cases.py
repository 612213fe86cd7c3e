"""Reconciliation cases."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.ports import Case

_OPEN: Final = text("""
INSERT INTO reconciliation_cases (id, kind, reference, external_id, amount, detail, opened_at)
VALUES (:id, :kind, :reference, :external_id, :amount, :detail, :opened_at)
ON CONFLICT (external_id) DO NOTHING RETURNING id
""")


class SqlCases:
    """Opens each case once."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def open(self, case: Case) -> bool:
        values = {
            "id": case.id,
            "kind": case.difference.kind.value,
            "reference": case.reference,
            "external_id": case.external_id,
            "amount": case.amount,
            "detail": case.difference.detail,
            "opened_at": case.opened_at,
        }
        return (await self._session.execute(_OPEN, values)).first() is not None
