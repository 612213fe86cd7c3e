"""What the ledger told of drivers' balances, in Postgres."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kernel.money import money
from payout.adapters.tables import driver_balances
from payout.domain.known_balance import KnownBalance

_B = driver_balances.c


class SqlKnownBalances:
    """One row a driver; only a newer version replaces it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self, driver_id: UUID) -> KnownBalance:
        query = select(driver_balances).where(_B.driver_id == driver_id).with_for_update()
        row = (await self._session.execute(query)).one_or_none()
        if row is None:
            return KnownBalance(driver_id=driver_id)
        return KnownBalance(
            driver_id=driver_id,
            available=money(row.available),
            on_hold=money(row.on_hold),
            version=row.version,
        )

    async def put(self, balance: KnownBalance, *, now: datetime) -> bool:
        values = {
            "available": balance.available,
            "on_hold": balance.on_hold,
            "version": balance.version,
            "heard_at": now,
        }
        statement = (
            insert(driver_balances)
            .values(driver_id=balance.driver_id, **values)
            .on_conflict_do_update(
                index_elements=[_B.driver_id], set_=values, where=_B.version < balance.version
            )
            .returning(_B.driver_id)
        )
        return (await self._session.execute(statement)).first() is not None
