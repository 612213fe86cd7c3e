"""A rating: one side of a finished ride about the other."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from contracts.ride_dispatch import CanceledBy
from kernel.refusals import NotFound, Refusal
from ride_dispatch.domain.ride import FINISHED, Ride


class RideNotRatable(Refusal):
    """The ride has not been driven to its end."""

    code = "ride_not_ratable"
    status = 409
    pt = "Só é possível avaliar uma corrida concluída."
    en = "Only a completed ride can be rated."


class AlreadyRated(Refusal):
    """This side has rated the ride."""

    code = "already_rated"
    status = 409
    pt = "Você já avaliou esta corrida."
    en = "You have rated this ride already."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    id: UUID
    ride_id: UUID
    rater_id: UUID
    rated_id: UUID
    rated_by: CanceledBy
    stars: int
    tags: tuple[str, ...]
    comment: str | None
    created_at: datetime

    @classmethod
    def of(
        cls,
        ride: Ride,
        *,
        id_: UUID,
        rater_id: UUID,
        stars: int,
        tags: tuple[str, ...],
        comment: str | None,
        now: datetime,
    ) -> Self:
        """The rating by a party of `ride`. Raises NotFound for others, RideNotRatable before its end."""
        if rater_id not in (ride.passenger_id, ride.driver_id):
            raise NotFound
        if ride.status not in FINISHED:
            raise RideNotRatable
        by_passenger = rater_id == ride.passenger_id
        return cls(
            id=id_,
            ride_id=ride.id,
            rater_id=rater_id,
            rated_id=ride.driver() if by_passenger else ride.passenger_id,
            rated_by=CanceledBy.PASSENGER if by_passenger else CanceledBy.DRIVER,
            stars=stars,
            tags=tags,
            comment=comment,
            created_at=now,
        )
