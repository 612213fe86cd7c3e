"""One transaction of the books."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.adapters.balances import SqlBalances
from ledger.adapters.bank_statements import SqlBankStatements
from ledger.adapters.cases import SqlCases
from ledger.adapters.day_rows import SqlDays
from ledger.adapters.journals import SqlJournals
from ledger.adapters.manual_rows import SqlManualJournals
from ledger.adapters.open_book import SqlBook
from ledger.adapters.report_rows import SqlReports
from ledger.adapters.seals import SqlSeals
from storage import Scope, Transaction, idempotency

_ONE_SNAPSHOT: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
_PATIENCE: Final = text("SELECT set_config('statement_timeout', '60000', true)")


class LedgerTransaction(Transaction):
    """Repositories on one session. What was added to the book is posted before COMMIT, all at once."""

    def __init__(self, session: AsyncSession, scope: Scope) -> None:
        super().__init__(session, scope)
        self.book = SqlBook(self)
        self.balances = SqlBalances(session)
        self.journals = SqlJournals(session)
        self.cases = SqlCases(session)
        self.seals = SqlSeals(session)
        self.reports = SqlReports(session)
        self.days = SqlDays(session)
        self.manual_journals = SqlManualJournals(session)
        self.bank_statements = SqlBankStatements(session)

    async def at_one_moment(self) -> None:
        await self.session.execute(_ONE_SNAPSHOT)
        await self.session.execute(_PATIENCE)

    async def forget_answers(self, *, before: datetime) -> None:
        await idempotency.forget_before(self, before=before)

    async def before_commit(self) -> None:
        await self.book.post()

    async def flush(self) -> None:
        # After the outbox: from the seal on, everybody who posts waits for this transaction.
        await super().flush()
        await self.book.seal()
