"""Received Pix in Postgres: the primary key on the e2eId is what counts each one once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Text, any_, bindparam, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.payment import MismatchKind
from payment.adapters.tables import received_pix, sweeps
from payment.domain.booked import BookedPix
from payment.domain.received import Source
from storage import Prepared

_P = received_pix.c
_COLUMNS = (
    _P.e2e_id, _P.txid, _P.amount, _P.fee, _P.paid_at, _P.held, _P.mismatch,
    _P.payment_intent_id.label("intent_id"), _P.ride_id, _P.passenger_id,
)  # fmt: skip
_SWEEP = "received_pix"
_CLAIM: Final = Prepared(
    insert(received_pix).on_conflict_do_nothing().returning(_P.e2e_id),
    columns=(
        "e2e_id",
        "txid",
        "payment_intent_id",
        "ride_id",
        "passenger_id",
        "amount",
        "fee",
        "held",
        "mismatch",
        "paid_at",
        "source",
        "created_at",
        "updated_at",
    ),
)
_OF_RIDE: Final = Prepared(
    select(*_COLUMNS).where(_P.ride_id == bindparam("wanted")).order_by(_P.paid_at, _P.e2e_id)
)
_KNOWN: Final = Prepared(select(_P.e2e_id).where(_P.e2e_id == any_(bindparam("named", type_=ARRAY(Text)))))


class SqlReceivedPix:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim(self, booked: BookedPix, *, source: Source, now: datetime) -> bool:
        values = {**_values(booked), "source": source, "created_at": now, "updated_at": now}
        return await _CLAIM.fetch_one(self._session, values) is not None

    async def get(self, e2e_id: str) -> BookedPix | None:
        return await self._one(select(*_COLUMNS).where(_P.e2e_id == e2e_id))

    async def lock(self, e2e_id: str) -> BookedPix | None:
        return await self._one(select(*_COLUMNS).where(_P.e2e_id == e2e_id).with_for_update())

    async def of_ride(self, ride_id: UUID) -> Sequence[BookedPix]:
        return [_booked(row) for row in await _OF_RIDE.fetch(self._session, {"wanted": ride_id})]

    async def known(self, e2e_ids: Sequence[str]) -> frozenset[str]:
        found = await _KNOWN.fetch(self._session, {"named": list(e2e_ids)})
        return frozenset(e2e_id for (e2e_id,) in found)

    async def page(
        self, *, mismatch: bool, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[BookedPix]:
        query = select(*_COLUMNS).order_by(_P.paid_at.desc(), _P.e2e_id.desc()).limit(limit)
        if mismatch:
            query = query.where(_P.mismatch.is_not(None))
        if after is not None:
            query = query.where(tuple_(_P.paid_at, _P.e2e_id) < after)
        return [_booked(row) for row in (await self._session.execute(query)).mappings()]

    async def swept_until(self) -> datetime | None:
        found = await self._session.execute(select(sweeps.c.swept_until).where(sweeps.c.name == _SWEEP))
        return found.scalar_one_or_none()

    async def sweep_to(self, until: datetime) -> None:
        await self._session.execute(
            insert(sweeps)
            .values(name=_SWEEP, swept_until=until)
            .on_conflict_do_update(index_elements=[sweeps.c.name], set_={"swept_until": until})
        )

    async def _one(self, query: Select[Any]) -> BookedPix | None:
        row = (await self._session.execute(query)).mappings().one_or_none()
        return None if row is None else _booked(row)


def _values(booked: BookedPix) -> Mapping[str, Any]:
    return {
        "e2e_id": booked.e2e_id,
        "txid": booked.txid,
        "payment_intent_id": booked.intent_id,
        "ride_id": booked.ride_id,
        "passenger_id": booked.passenger_id,
        "amount": booked.amount,
        "fee": booked.fee,
        "held": booked.held,
        "mismatch": booked.mismatch,
        "paid_at": booked.paid_at,
    }


def _booked(row: Any) -> BookedPix:
    mismatch = row["mismatch"]
    return BookedPix(**{**row, "mismatch": None if mismatch is None else MismatchKind(mismatch)})
