"""The transaction with ride-dispatch's repositories."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from ride_dispatch.adapters.drivers import SqlDrivers, SqlProfiles
from ride_dispatch.adapters.journal import SqlLocations, SqlQuotes, SqlRatings
from ride_dispatch.adapters.offers import SqlAttempts, SqlOffers
from ride_dispatch.adapters.rides import SqlRides
from storage import Scope, Transaction, idempotency


class DispatchTransaction(Transaction):
    def __init__(self, session: AsyncSession, scope: Scope) -> None:
        super().__init__(session, scope)
        self.rides = SqlRides(session)
        self.offers = SqlOffers(session)
        self.attempts = SqlAttempts(session)
        self.drivers = SqlDrivers(session)
        self.profiles = SqlProfiles(session)
        self.quotes = SqlQuotes(session)
        self.ratings = SqlRatings(session)
        self.locations = SqlLocations(session)

    async def forget_requests(self, *, before: datetime) -> None:
        await idempotency.forget_before(self, before=before)
