from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from dispatch_builders import NOW, PICKUP
from hypothesis import given
from hypothesis import strategies as st

from ride_dispatch.domain.location import Drop, LocationPolicy, Point, Trail, admit, why_dropped
from ride_dispatch.domain.place import Place, distance_m

POLICY = LocationPolicy()
FAR = Place(lat=-22.9, lon=-43.2)


def at(seconds: float, place: Place = PICKUP, accuracy_m: float | None = None) -> Point:
    return Point(place=place, recorded_at=NOW + timedelta(seconds=seconds), accuracy_m=accuracy_m)


def drop_of(point: Point, trail: Trail, now: datetime = NOW) -> Drop | None:
    return why_dropped(point, trail=trail, policy=POLICY, now=now)


@pytest.mark.parametrize(
    ("point", "drop"),
    [
        (at(0), None),
        (at(0, accuracy_m=50), None),
        (at(0, accuracy_m=51), Drop.INACCURATE),
        (at(-119), None),
        (at(-121), Drop.STALE),
        (at(9), None),
        (at(11), Drop.FUTURE),
    ],
)
def test_a_first_point_is_judged_alone(point: Point, drop: Drop | None) -> None:
    assert drop_of(point, Trail()) is drop


@pytest.mark.parametrize(
    ("point", "drop"),
    [
        (at(-10), Drop.OUT_OF_ORDER),
        (at(-20), Drop.OUT_OF_ORDER),
        (at(-9.9), Drop.TOO_OFTEN),
        (at(-9), None),
        (at(-9, FAR), Drop.TOO_FAST),
        (at(-9, accuracy_m=100), Drop.INACCURATE),
    ],
)
def test_a_later_point_is_judged_by_the_last(point: Point, drop: Drop | None) -> None:
    assert drop_of(point, Trail(anchor=at(-10))) is drop


def test_a_jump_is_believed_once_a_second_point_confirms_it() -> None:
    wrong = at(-60)
    first, second, third = at(-10, FAR), at(-5, FAR), at(-1, FAR)

    admitted = admit([wrong, first, second, third], trail=Trail(), policy=POLICY, now=NOW)

    assert admitted.points == (wrong, second, third)
    assert admitted.dropped == Counter({Drop.TOO_FAST: 1})
    assert admitted.trail == Trail(anchor=third)


def test_two_jumps_to_different_places_are_not_believed() -> None:
    elsewhere = Place(lat=-30.0, lon=-51.2)
    trail = Trail(anchor=at(-60))

    admitted = admit([at(-10, FAR), at(-5, elsewhere)], trail=trail, policy=POLICY, now=NOW)

    assert admitted.points == ()
    assert admitted.trail == Trail(anchor=at(-60), suspect=at(-5, elsewhere))


def test_a_batch_is_taken_oldest_first() -> None:
    points = [at(-1), at(-30), at(-10)]
    admitted = admit(points, trail=Trail(), policy=POLICY, now=NOW)
    assert [point.recorded_at for point in admitted.points] == sorted(p.recorded_at for p in points)


moves = st.tuples(st.floats(-300, 60), st.floats(-0.2, 0.2), st.one_of(st.none(), st.floats(0, 200)))


@given(st.lists(moves, max_size=20))
def test_what_is_believed_is_in_order_and_drivable_or_confirmed(
    steps: list[tuple[float, float, float | None]],
) -> None:
    points = [at(s, Place(lat=-23.5 + d, lon=-46.6), accuracy) for s, d, accuracy in steps]

    admitted = admit(points, trail=Trail(), policy=POLICY, now=NOW)

    times = [point.recorded_at for point in admitted.points]
    assert times == sorted(set(times))
    assert len(admitted.points) + admitted.dropped.total() == len(points)
    fast = sum(
        distance_m(a.place, b.place) > POLICY.max_speed_mps * (b.recorded_at - a.recorded_at).total_seconds()
        for a, b in pairwise(admitted.points)
    )
    assert fast <= admitted.dropped[Drop.TOO_FAST]
