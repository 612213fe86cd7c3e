"""The projection of rides in Postgres."""

from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment.adapters.tables import rides
from payment.domain.ride import Ride, RideState
from storage import Prepared

_COLUMNS = (
    rides.c.id,
    rides.c.passenger_id,
    rides.c.driver_id,
    rides.c.state,
    rides.c.fare,
    rides.c.commission,
)
_GET: Final = Prepared(select(*_COLUMNS).where(rides.c.id == bindparam("wanted")))
_LOCK: Final = Prepared(select(*_COLUMNS).where(rides.c.id == bindparam("wanted")).with_for_update())


class SqlRides:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, ride_id: UUID) -> Ride | None:
        return await self._find(ride_id, lock=False)

    async def lock(self, ride_id: UUID) -> Ride | None:
        return await self._find(ride_id, lock=True)

    async def put(self, ride: Ride) -> None:
        values = {column.name: getattr(ride, column.name) for column in _COLUMNS}
        changed = {name: value for name, value in values.items() if name != "id"}
        await self._session.execute(
            insert(rides)
            .values(values)
            .on_conflict_do_update(
                index_elements=[rides.c.id],
                set_={**changed, "updated_at": func.now()},
                where=rides.c.state == RideState.OPEN,
            )
        )

    async def _find(self, ride_id: UUID, *, lock: bool) -> Ride | None:
        row = await (_LOCK if lock else _GET).fetch_one(self._session, {"wanted": ride_id})
        return None if row is None else Ride(**{**row, "state": RideState(row["state"])})
