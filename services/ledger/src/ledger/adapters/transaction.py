"""One transaction of the books."""

from sqlalchemy.ext.asyncio import AsyncSession

from ledger.adapters.balances import SqlBalances
from ledger.adapters.cases import SqlCases
from ledger.adapters.journals import SqlJournals
from ledger.adapters.open_book import SqlBook
from ledger.adapters.seals import SqlSeals
from storage import Scope, Transaction


class LedgerTransaction(Transaction):
    """Repositories on one session. What was added to the book is posted before COMMIT, all at once."""

    def __init__(self, session: AsyncSession, scope: Scope) -> None:
        super().__init__(session, scope)
        self.book = SqlBook(self)
        self.balances = SqlBalances(session)
        self.journals = SqlJournals(session)
        self.cases = SqlCases(session)
        self.seals = SqlSeals(session)

    async def before_commit(self) -> None:
        await self.book.post()
