"""A fact, and the same fact changed in one way: what the gate is shown."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, create_model

from contracts.base import Fact, Model, Money, Time
from contracts.topics import DAY_MS, Topic

PARCELS = Topic(name="test.post.parcels.v1", partitions=3, retention_ms=DAY_MS)


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class Carrier(StrEnum):
    """Open: a consumer reads a value that it does not know as UNKNOWN."""

    UNKNOWN = "unknown"
    ROAD = "road"

    @classmethod
    def _missing_(cls, value: object) -> "Carrier":
        return cls.UNKNOWN


class Stamp(Model):
    value: Money
    color: Color = Color.RED


class ParcelBase(Fact):
    fact = "parcel.sent"
    topic = PARCELS
    key_field = "parcel_id"


FIELDS: dict[str, Any] = {
    "parcel_id": (UUID, ...),
    "weight_g": (Annotated[int, Field(ge=1, le=30_000)], ...),
    "price": (Money, ...),
    "rate": (Decimal | None, None),
    "color": (Color, ...),
    "carrier": (Carrier, Carrier.ROAD),
    "stamps": (tuple[Stamp, ...], ()),
    "return_stamp": (Stamp | None, None),
    "note": (str | None, None),
    "sent_at": (Time, ...),
}


def parcel(*, without: str = "", base: type[ParcelBase] = ParcelBase, **changes: Any) -> type[Fact]:
    """The fact with one field gone, and others added or replaced: `name=(type, default or ...)`."""
    kept = {name: field for name, field in FIELDS.items() if name != without}
    return create_model("ParcelSent", __base__=base, **{**kept, **changes})
