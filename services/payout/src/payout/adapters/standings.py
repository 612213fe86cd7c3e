"""What identity's profiles tell of drivers, in Postgres."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.identity import UserStatus
from payout.adapters.tables import driver_standings
from payout.domain.standing import Standing

_S = driver_standings.c


class SqlStandings:
    """One row a driver; only a newer version replaces it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, driver_id: UUID) -> Standing | None:
        row = (await self._session.execute(select(driver_standings).where(_S.driver_id == driver_id))).first()
        if row is None:
            return None
        return Standing(
            driver_id=driver_id,
            status=UserStatus(row.status),
            pix_key_changed_at=row.pix_key_changed_at,
            version=row.version,
        )

    async def put(self, standing: Standing, *, now: datetime) -> bool:
        values = {
            "status": standing.status.value,
            "pix_key_changed_at": standing.pix_key_changed_at,
            "version": standing.version,
            "heard_at": now,
        }
        statement = (
            insert(driver_standings)
            .values(driver_id=standing.driver_id, **values)
            .on_conflict_do_update(
                index_elements=[_S.driver_id], set_=values, where=_S.version < standing.version
            )
            .returning(_S.driver_id)
        )
        return (await self._session.execute(statement)).first() is not None
