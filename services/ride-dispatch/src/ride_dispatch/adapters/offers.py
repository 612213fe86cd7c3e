"""Offers and accept attempts in Postgres."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.ride_dispatch import RideStatus
from kernel.ids import new_id
from ride_dispatch.adapters.mapping import offer_of, offer_row, ride_of
from ride_dispatch.adapters.tables import (
    driver_states,
    offer_history,
    ride_accept_attempts,
    ride_offers,
    rides,
)
from ride_dispatch.domain.offer import Offer, OfferResponse
from ride_dispatch.ports import Cursor, OpenOffer
from storage import Prepared

HISTORY: Final = ("offer_id", "ride_id", "driver_id", "try_no", "wave", "event", "at")
REOPENED: Final = (
    "try_no",
    "wave",
    "pickup_distance_m",
    "offered_at",
    "expires_at",
    "response",
    "responded_at",
)


class SqlOffers:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def of_ride(self, ride_id: UUID) -> Sequence[Offer]:
        query = select(ride_offers).where(ride_offers.c.ride_id == ride_id)
        return [offer_of(row) for row in (await self._session.execute(query)).mappings()]

    async def get(self, *, ride_id: UUID, driver_id: UUID) -> Offer | None:
        mine = (ride_offers.c.ride_id == ride_id) & (ride_offers.c.driver_id == driver_id)
        row = (await self._session.execute(select(ride_offers).where(mine))).mappings().one_or_none()
        return offer_of(row) if row is not None else None

    async def open(self, offers: Sequence[Offer]) -> None:
        write = postgresql.insert(ride_offers).values([offer_row(offer) for offer in offers])
        again = {name: write.excluded[name] for name in REOPENED}
        write = write.on_conflict_do_update(
            index_elements=["ride_id", "driver_id"], set_=again | {"updated_at": func.now()}
        )
        written = write.returning(*_history_columns("OFFERED", at=ride_offers.c.offered_at)).cte("written")
        await self._session.execute(insert(offer_history).from_select(HISTORY, select(written)))

    async def close(
        self,
        *,
        ride_id: UUID,
        response: OfferResponse,
        now: datetime,
        only: Collection[UUID] | None = None,
        due_only: bool = False,
    ) -> Sequence[UUID]:
        conditions: list[ColumnElement[bool]] = [
            ride_offers.c.ride_id == ride_id,
            ride_offers.c.response.is_(None),
        ]
        if only is not None:
            conditions.append(ride_offers.c.driver_id.in_(only))
        if due_only:
            conditions.append(_due(now))
        closed = (
            update(ride_offers)
            .where(*conditions)
            .values(response=response, responded_at=now)
            .returning(*_history_columns(response, at=ride_offers.c.responded_at))
            .cte("closed")
        )
        write = (
            insert(offer_history).from_select(HISTORY, select(closed)).returning(offer_history.c.driver_id)
        )
        return sorted((await self._session.execute(write)).scalars())

    async def exclude(self, *, ride_id: UUID, driver_id: UUID) -> None:
        mine = (ride_offers.c.ride_id == ride_id) & (ride_offers.c.driver_id == driver_id)
        await self._session.execute(update(ride_offers).where(mine).values(excluded=True))

    async def rides_with_due(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        due = await _RIDES_WITH_DUE.fetch(self._session, {"now": now, "limit": limit})
        return [ride_id for (ride_id,) in due]

    async def rides_open_for(self, driver_id: UUID) -> Sequence[UUID]:
        query = select(ride_offers.c.ride_id).where(_open_for(driver_id)).order_by(ride_offers.c.ride_id)
        return (await self._session.execute(query)).scalars().all()

    async def open_for(
        self, driver_id: UUID, *, now: datetime, after: Cursor | None, limit: int
    ) -> Sequence[OpenOffer]:
        answerable = (ride_offers.c.expires_at > now) & (rides.c.status == RideStatus.OFFERED)
        # Both tables have some names in common, so the offer's columns carry a prefix.
        offer_columns = [column.label(f"offer_{column.name}") for column in ride_offers.c]
        query = (
            select(*offer_columns, rides)
            .join(rides, rides.c.id == ride_offers.c.ride_id)
            .where(_open_for(driver_id), answerable)
        )
        if after is not None:
            query = query.where(tuple_(ride_offers.c.offered_at, ride_offers.c.id) < after)
        query = query.order_by(ride_offers.c.offered_at.desc(), ride_offers.c.id.desc()).limit(limit)
        rows = (await self._session.execute(query)).mappings().all()
        return [OpenOffer(offer=_prefixed_offer(row), ride=ride_of(row)) for row in rows]


class SqlAttempts:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self, *, ride_id: UUID, driver_id: UUID, key: str, failure_reason: str | None, now: datetime
    ) -> None:
        write = postgresql.insert(ride_accept_attempts).values(
            id=new_id(),
            ride_id=ride_id,
            driver_id=driver_id,
            idempotency_key=key,
            status="FAILED" if failure_reason else "SUCCESS",
            failure_reason=failure_reason,
            attempt_at=now,
        )
        await self._session.execute(write.on_conflict_do_nothing(index_elements=["idempotency_key"]))


def _open_for(driver_id: UUID) -> ColumnElement[bool]:
    return and_(ride_offers.c.driver_id == driver_id, ride_offers.c.response.is_(None))


def _due(now: Any) -> ColumnElement[bool]:
    """Expired, or of a driver who is on another ride by now and so cannot take it."""
    elsewhere = exists().where(
        driver_states.c.driver_id == ride_offers.c.driver_id,
        driver_states.c.current_ride_id.is_not(None),
    )
    return or_(ride_offers.c.expires_at <= now, elsewhere)


def _history_columns(event: str, *, at: ColumnElement[datetime]) -> list[ColumnElement[Any]]:
    return [
        ride_offers.c.id.label("offer_id"),
        ride_offers.c.ride_id,
        ride_offers.c.driver_id,
        ride_offers.c.try_no,
        ride_offers.c.wave,
        literal(event).label("event"),
        at.label("at"),
    ]


def _prefixed_offer(row: Any) -> Offer:
    return offer_of(
        {name.removeprefix("offer_"): value for name, value in row.items() if name.startswith("offer_")}
    )


_RIDES_WITH_DUE: Final = Prepared(
    select(ride_offers.c.ride_id)
    .where(ride_offers.c.response.is_(None), _due(bindparam("now", type_=ride_offers.c.expires_at.type)))
    .distinct()
    .limit(bindparam("limit", type_=Integer))
)
