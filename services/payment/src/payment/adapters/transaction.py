"""Payment's transaction: the repositories over one session."""

from sqlalchemy.ext.asyncio import AsyncSession

from payment.adapters.claims import SqlClaims
from payment.adapters.intents import SqlIntents
from payment.adapters.received import SqlReceivedPix
from payment.adapters.refunds import SqlRefunds
from payment.adapters.rides import SqlRides
from payment.adapters.statements import SqlStatements
from payment.adapters.webhooks import SqlWebhookEvents
from storage import Scope, Transaction


class PaymentTransaction(Transaction):
    def __init__(self, session: AsyncSession, scope: Scope) -> None:
        super().__init__(session, scope)
        self.rides = SqlRides(session)
        self.intents = SqlIntents(session)
        self.received = SqlReceivedPix(session)
        self.webhooks = SqlWebhookEvents(session)
        self.claims = SqlClaims(session)
        self.refunds = SqlRefunds(session)
        self.statements = SqlStatements(session)
