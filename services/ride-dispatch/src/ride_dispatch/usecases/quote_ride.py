from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from contracts.identity import VehicleCategory
from kernel.ids import new_id
from ride_dispatch.domain.fare import Tariff
from ride_dispatch.domain.place import Place
from ride_dispatch.domain.quote import Quote
from ride_dispatch.ports import Tx


async def quote_ride(
    tx: Tx,
    *,
    passenger_id: UUID,
    pickup: Place,
    dropoff: Place,
    first: VehicleCategory | None,
    tariffs: Mapping[VehicleCategory, Tariff],
    ttl_s: float,
    now: datetime,
) -> Sequence[Quote]:
    """Price the trip in every category, the asked one first; each price holds for `ttl_s` seconds."""
    quotes = [
        Quote.of(
            tariffs[category],
            id_=new_id(),
            passenger_id=passenger_id,
            category=category,
            pickup=pickup,
            dropoff=dropoff,
            expires_at=now + timedelta(seconds=ttl_s),
        )
        for category in sorted(tariffs, key=lambda category: category != first)
    ]
    await tx.quotes.add(quotes, now=now)
    return quotes
