from datetime import datetime
from uuid import UUID

from contracts.ride_dispatch import RideRated
from kernel.ids import new_id
from kernel.refusals import NotFound
from ride_dispatch.domain.rating import Rating
from ride_dispatch.ports import Tx


async def rate_ride(
    tx: Tx,
    *,
    ride_id: UUID,
    rater_id: UUID,
    stars: int,
    tags: tuple[str, ...],
    comment: str | None,
    now: datetime,
) -> Rating:
    """One side of a finished ride rates the other, once. Raises NotFound, RideNotRatable, AlreadyRated."""
    ride = await tx.rides.lock(ride_id)
    if ride is None:
        raise NotFound
    rating = Rating.of(
        ride, id_=new_id(), rater_id=rater_id, stars=stars, tags=tags, comment=comment, now=now
    )
    await tx.ratings.add(rating)
    touched = ride.touch()
    await tx.rides.save(touched)
    fact = RideRated(
        ride_id=ride_id,
        rater_id=rating.rater_id,
        rated_id=rating.rated_id,
        rated_by=rating.rated_by,
        stars=stars,
        tags=tags,
        rated_at=now,
    )
    await tx.publish(fact, version=touched.version)
    return rating
