from dataclasses import replace
from decimal import Decimal

import pytest
from dispatch_builders import DROPOFF, FREE, PICKUP, TARIFF
from hypothesis import given
from hypothesis import strategies as st

from ride_dispatch.domain.fare import (
    Tariff,
    billed_distance_m,
    billed_duration_s,
    estimate_fare,
    final_fare,
    road_distance_m,
)
from ride_dispatch.domain.place import Place, distance_m

metres = st.integers(0, 1_000_000)
seconds = st.integers(0, 86_400)
prices = st.decimals("0.00", "99.99", places=2)
tariffs = st.builds(
    Tariff,
    base=prices,
    per_km=prices,
    per_minute=prices,
    minimum=prices,
    commission_bps=st.integers(0, 10_000),
    surge=st.decimals("0.50", "4.00", places=2),
)
places = st.builds(Place, lat=st.floats(-60, 60), lon=st.floats(-179, 179))


@given(tariffs, metres, seconds)
def test_a_fare_has_two_places_and_is_never_below_the_minimum(tariff: Tariff, m: int, s: int) -> None:
    fare = tariff.price(distance_m=m, duration_s=s)
    assert fare.as_tuple().exponent == -2
    assert fare >= tariff.minimum


@given(tariffs, metres, metres, seconds, seconds)
def test_a_longer_trip_never_costs_less(tariff: Tariff, m: int, more: int, s: int, longer: int) -> None:
    short = tariff.price(distance_m=m, duration_s=s)
    assert tariff.price(distance_m=m + more, duration_s=s + longer) >= short


@given(tariffs, places, places, st.floats(0, 100_000))
def test_the_commission_never_takes_the_odd_centavo(
    tariff: Tariff, pickup: Place, dropoff: Place, elapsed_s: float
) -> None:
    final = final_fare(
        tariff, pickup=pickup, dropoff=dropoff, points=(), advisory_m=None, elapsed_s=elapsed_s
    )
    exact = final.fare * tariff.commission_bps / 10_000
    assert exact - Decimal("0.01") < final.commission <= exact


@given(st.integers(0, 10_000_000))
def test_an_advisory_distance_never_raises_the_fare(advisory_m: int) -> None:
    def billed(advisory: int | None) -> int:
        return billed_distance_m(TARIFF, pickup=PICKUP, dropoff=DROPOFF, points=(), advisory_m=advisory)

    straight_m = distance_m(PICKUP, DROPOFF)
    assert straight_m <= billed(advisory_m) <= billed(None)
    if straight_m <= advisory_m <= billed(None):
        assert billed(advisory_m) == advisory_m


def test_an_advisory_distance_between_straight_line_and_road_is_taken() -> None:
    advisory_m = round(distance_m(PICKUP, DROPOFF) * 1.1)
    billed_m = billed_distance_m(TARIFF, pickup=PICKUP, dropoff=DROPOFF, points=(), advisory_m=advisory_m)
    assert billed_m == advisory_m


@given(st.lists(places, min_size=2, max_size=8), st.one_of(st.none(), metres))
def test_a_recorded_path_is_billed_within_the_bounds(points: list[Place], advisory_m: int | None) -> None:
    billed_m = billed_distance_m(TARIFF, pickup=PICKUP, dropoff=DROPOFF, points=points, advisory_m=advisory_m)
    straight_m = distance_m(PICKUP, DROPOFF)
    assert billed_m >= int(straight_m * TARIFF.path_floor)
    assert billed_m <= round(straight_m * TARIFF.path_ceiling + TARIFF.path_slack_m)


def test_a_believable_path_is_billed_as_it_was_driven() -> None:
    middle = Place(lat=-23.5744, lon=-46.6700)
    driven_m = distance_m(PICKUP, middle) + distance_m(middle, DROPOFF)

    billed_m = billed_distance_m(
        TARIFF, pickup=PICKUP, dropoff=DROPOFF, points=(PICKUP, middle, DROPOFF), advisory_m=1
    )

    assert billed_m == round(driven_m)


def test_without_points_the_road_is_the_straight_line_times_a_factor() -> None:
    road_m = road_distance_m(TARIFF, pickup=PICKUP, dropoff=DROPOFF)
    assert road_m == round(distance_m(PICKUP, DROPOFF) * 1.3)
    one_point = billed_distance_m(TARIFF, pickup=PICKUP, dropoff=DROPOFF, points=(PICKUP,), advisory_m=None)
    assert one_point == road_m


@given(st.floats(-1000, 1_000_000))
def test_a_ride_that_nobody_closed_does_not_bill_the_night(elapsed_s: float) -> None:
    billed_s = billed_duration_s(TARIFF, pickup=PICKUP, dropoff=DROPOFF, elapsed_s=elapsed_s)
    expected_s = estimate_fare(TARIFF, pickup=PICKUP, dropoff=DROPOFF).duration_s
    assert 0 <= billed_s <= expected_s * TARIFF.time_ceiling + TARIFF.time_slack_s + TARIFF.time_ceiling


def test_a_known_fare() -> None:
    assert TARIFF.price(distance_m=10_000, duration_s=1200) == Decimal("25.10")
    assert replace(TARIFF, surge=Decimal("1.50")).price(distance_m=10_000, duration_s=1200) == Decimal(
        "37.65"
    )
    assert TARIFF.price(distance_m=0, duration_s=0) == Decimal("7.50")


def test_a_free_tariff_costs_nothing() -> None:
    final = final_fare(FREE, pickup=PICKUP, dropoff=DROPOFF, points=(), advisory_m=None, elapsed_s=600)
    assert (final.fare, final.commission) == (Decimal("0.00"), Decimal("0.00"))


@pytest.mark.parametrize("bps", [0, 2000, 10_000])
def test_commission_and_the_drivers_part_add_up(bps: int) -> None:
    tariff = replace(TARIFF, commission_bps=bps)
    final = final_fare(tariff, pickup=PICKUP, dropoff=DROPOFF, points=(), advisory_m=None, elapsed_s=601)
    assert Decimal(0) <= final.commission <= final.fare
