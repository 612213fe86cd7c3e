"""What a ride costs: a tariff by category, frozen into the ride at its request."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from kernel.money import ZERO, round_money, take_bps
from ride_dispatch.domain.place import Place, distance_m, path_m

METRES_A_KM = 1000
SECONDS_A_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """Prices of one category in BRL, and the bounds within which a measured trip is believed.

    The road is `road_factor` times the straight line; a car goes `cruise_mps` along it. A recorded path is
    believed from `path_floor` to `path_ceiling` times the straight line (plus `path_slack_m`), a duration
    up to `time_ceiling` times the expected one (plus `time_slack_s`).
    """

    base: Decimal
    per_km: Decimal
    per_minute: Decimal
    minimum: Decimal
    commission_bps: int
    surge: Decimal = Decimal("1.00")
    road_factor: float = 1.3
    cruise_mps: float = 7.0
    path_floor: float = 0.5
    path_ceiling: float = 3.0
    path_slack_m: int = 2000
    time_ceiling: float = 4.0
    time_slack_s: int = 900
    min_hop_m: float = 5.0

    def price(self, *, distance_m: int, duration_s: int) -> Decimal:
        """The fare of so many metres and seconds, never below the minimum; two places."""
        by_distance = self.per_km * distance_m / METRES_A_KM
        by_time = self.per_minute * duration_s / SECONDS_A_MINUTE
        return max(round_money((self.base + by_distance + by_time) * self.surge), self.minimum, ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What the passenger is told before the ride."""

    fare: Decimal
    distance_m: int
    duration_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalFare:
    """What the ride cost: `commission` is the platform's part of `fare`, the rest is the driver's."""

    fare: Decimal
    commission: Decimal
    distance_m: int
    duration_s: int


def estimate_fare(tariff: Tariff, *, pickup: Place, dropoff: Place) -> Estimate:
    """The fare expected of a trip, from the straight line between its ends."""
    road_m = road_distance_m(tariff, pickup=pickup, dropoff=dropoff)
    duration_s = round(road_m / tariff.cruise_mps)
    fare = tariff.price(distance_m=road_m, duration_s=duration_s)
    return Estimate(fare=fare, distance_m=road_m, duration_s=duration_s)


def final_fare(
    tariff: Tariff,
    *,
    pickup: Place,
    dropoff: Place,
    points: Sequence[Place],
    advisory_m: int | None,
    elapsed_s: float,
) -> FinalFare:
    """The fare of a driven trip, from its recorded points and its time, within the tariff's bounds."""
    billed_m = billed_distance_m(tariff, pickup=pickup, dropoff=dropoff, points=points, advisory_m=advisory_m)
    billed_s = billed_duration_s(tariff, pickup=pickup, dropoff=dropoff, elapsed_s=elapsed_s)
    fare = tariff.price(distance_m=billed_m, duration_s=billed_s)
    commission, _ = take_bps(fare, bps=tariff.commission_bps)
    return FinalFare(fare=fare, commission=commission, distance_m=billed_m, duration_s=billed_s)


def billed_distance_m(
    tariff: Tariff, *, pickup: Place, dropoff: Place, points: Sequence[Place], advisory_m: int | None
) -> int:
    """The recorded path clamped to the tariff's bounds. Without one, the road that was estimated, or the
    driver's advisory distance where it lies between the straight line and that road: a number that the
    driver's own phone sends may lower a fare, never raise it."""
    straight_m = distance_m(pickup, dropoff)
    if len(points) >= 2:
        floor_m = straight_m * tariff.path_floor
        ceiling_m = straight_m * tariff.path_ceiling + tariff.path_slack_m
        return round(min(max(path_m(points, min_hop_m=tariff.min_hop_m), floor_m), ceiling_m))
    road_m = road_distance_m(tariff, pickup=pickup, dropoff=dropoff)
    if advisory_m is not None and straight_m <= advisory_m <= road_m:
        return advisory_m
    return road_m


def billed_duration_s(tariff: Tariff, *, pickup: Place, dropoff: Place, elapsed_s: float) -> int:
    """The elapsed time, bounded: a ride that nobody closed does not bill the night."""
    road_m = road_distance_m(tariff, pickup=pickup, dropoff=dropoff)
    ceiling_s = road_m / tariff.cruise_mps * tariff.time_ceiling + tariff.time_slack_s
    return round(min(max(elapsed_s, 0.0), ceiling_s))


def road_distance_m(tariff: Tariff, *, pickup: Place, dropoff: Place) -> int:
    """The straight line times the road factor."""
    return round(distance_m(pickup, dropoff) * tariff.road_factor)
