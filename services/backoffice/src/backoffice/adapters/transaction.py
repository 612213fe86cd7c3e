"""Backoffice's transaction."""

from sqlalchemy.ext.asyncio import AsyncSession

from backoffice.adapters.audit_log import SqlAuditLog
from storage import Scope, Transaction


class BackofficeTransaction(Transaction):
    def __init__(self, session: AsyncSession, scope: Scope) -> None:
        super().__init__(session, scope)
        self.audit_log = SqlAuditLog(session)

    async def before_commit(self) -> None:
        await self.audit_log.flush()
