"""One transaction of payout."""

from sqlalchemy.ext.asyncio import AsyncSession

from payout.adapters.attempts import SqlAttempts
from payout.adapters.known_balances import SqlKnownBalances
from payout.adapters.payouts import SqlPayouts
from payout.adapters.standings import SqlStandings
from storage import Scope, Transaction


class PayoutTransaction(Transaction):
    """Repositories on one session."""

    def __init__(self, session: AsyncSession, scope: Scope) -> None:
        super().__init__(session, scope)
        self.payouts = SqlPayouts(session)
        self.attempts = SqlAttempts(session)
        self.balances = SqlKnownBalances(session)
        self.standings = SqlStandings(session)
