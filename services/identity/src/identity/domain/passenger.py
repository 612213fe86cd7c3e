"""A passenger: who rides."""

from dataclasses import dataclass, field
from uuid import UUID

from identity.domain.rating import Rating


@dataclass(frozen=True, slots=True, kw_only=True)
class Passenger:
    """`id` is the user's id."""

    id: UUID
    full_name: str
    cpf: str = field(repr=False)
    rating: Rating = field(default_factory=Rating)
    total_rides: int = 0
