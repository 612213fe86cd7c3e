from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest
from dispatch_builders import NOW, POLICY, a_ride

from contracts.ride_dispatch import CanceledBy, CancelReason, DriverCard, RideStatus
from kernel.ids import new_id
from ride_dispatch.domain.fare import FinalFare
from ride_dispatch.domain.ride import DRIVEN, FINISHED, MOVES, OPEN, SEARCHED, IllegalTransition, Ride

S = RideStatus
LEGAL = {
    (S.REQUESTED, S.SEARCHING),
    (S.REQUESTED, S.CANCELED),
    (S.SEARCHING, S.OFFERED),
    (S.SEARCHING, S.NO_DRIVER_FOUND),
    (S.SEARCHING, S.CANCELED),
    (S.OFFERED, S.ACCEPTED),
    (S.OFFERED, S.SEARCHING),
    (S.OFFERED, S.CANCELED),
    (S.ACCEPTED, S.DRIVER_ARRIVED),
    (S.ACCEPTED, S.SEARCHING),
    (S.ACCEPTED, S.CANCELED),
    (S.DRIVER_ARRIVED, S.IN_PROGRESS),
    (S.DRIVER_ARRIVED, S.SEARCHING),
    (S.DRIVER_ARRIVED, S.CANCELED),
    (S.IN_PROGRESS, S.COMPLETED),
    (S.COMPLETED, S.PAYMENT_PENDING),
    (S.COMPLETED, S.PAID),
    (S.PAYMENT_PENDING, S.PAID),
    (S.PAID, S.REFUNDED),
}
FINAL = FinalFare(fare=Decimal("12.00"), commission=Decimal("2.40"), distance_m=3000, duration_s=600)
CARD = DriverCard(full_name="Ana")
LATER = NOW + timedelta(minutes=1)

# Each move of the rides' own verbs; SEARCHING has three doors.
VERBS: dict[RideStatus, Callable[[Ride], Ride]] = {
    S.OFFERED: lambda ride: ride.offer(POLICY, radius_m=2000, now=LATER),
    S.ACCEPTED: lambda ride: ride.accept(driver_id=new_id(), card=CARD, now=LATER),
    S.DRIVER_ARRIVED: lambda ride: ride.arrive(now=LATER),
    S.IN_PROGRESS: lambda ride: ride.start(now=LATER),
    S.COMPLETED: lambda ride: ride.complete(FINAL, now=LATER),
    S.PAYMENT_PENDING: lambda ride: ride.await_payment(now=LATER),
    S.PAID: lambda ride: ride.pay(now=LATER),
    S.REFUNDED: lambda ride: ride.refund(now=LATER),
    S.CANCELED: lambda ride: ride.cancel(by=CanceledBy.SYSTEM, reason=CancelReason.OTHER, now=LATER),
    S.NO_DRIVER_FOUND: lambda ride: ride.give_up_search(now=LATER),
}


def to_searching(ride: Ride) -> Ride:
    if ride.status is S.OFFERED:
        return ride.lose_offers(now=LATER)
    return ride.seek() if ride.status not in DRIVEN else ride.reassign(POLICY, now=LATER)


def move(ride: Ride, to: RideStatus) -> Ride:
    return to_searching(ride) if to is S.SEARCHING else VERBS[to](ride)


@pytest.mark.parametrize(("start", "end"), list(product(S, [s for s in S if s is not S.REQUESTED])))
def test_every_pair_of_states_moves_or_is_refused(start: RideStatus, end: RideStatus) -> None:
    ride = a_ride(start)
    further_wave = (start, end) == (S.OFFERED, S.OFFERED)

    if (start, end) in LEGAL or further_wave:
        moved = move(ride, end)
        assert moved.status is end
        assert moved.version == ride.version + 1
    else:
        with pytest.raises(IllegalTransition):
            move(ride, end)


def test_the_table_is_the_architectures() -> None:
    assert {(start, end) for start, ends in MOVES.items() for end in ends} == LEGAL
    assert set(MOVES) == set(S)
    assert not any(S.REQUESTED in ends for ends in MOVES.values())


def test_the_sets_of_states_cover_a_rides_life() -> None:
    ended = {S.CANCELED, S.NO_DRIVER_FOUND}
    assert OPEN | FINISHED | ended == set(S)
    assert {S.REQUESTED} | SEARCHED | DRIVEN == OPEN
    assert not OPEN & FINISHED


def test_a_reassigned_ride_forgets_its_driver_and_searches_anew() -> None:
    ride = a_ride(S.DRIVER_ARRIVED, accepted_at=NOW, arrived_at=NOW, driver_card=CARD)

    again = ride.reassign(POLICY, now=LATER)

    assert (again.driver_id, again.driver_card, again.accepted_at, again.arrived_at) == (None,) * 4
    assert again.search.try_no == ride.search.try_no + 1
    assert again.search.ends_at == LATER + timedelta(seconds=POLICY.search_ttl_s)
    assert again.search.wave == ride.search.wave


def test_a_further_wave_leaves_the_ride_offered() -> None:
    offered = a_ride(S.SEARCHING).offer(POLICY, radius_m=2000, now=NOW)

    again = offered.offer(POLICY, radius_m=4000, now=LATER)

    assert again.status is S.OFFERED
    assert (again.search.wave, again.search.radius_m) == (2, 4000)


def test_lost_offers_are_followed_by_a_wave_at_once() -> None:
    offered = a_ride(S.SEARCHING).offer(POLICY, radius_m=2000, now=NOW)
    assert offered.search.next_wave_at > NOW

    assert offered.lose_offers(now=NOW).search.next_wave_at == NOW


def test_a_touch_counts_as_a_version_only() -> None:
    ride = a_ride(S.PAID)
    assert (ride.touch().version, ride.touch().status) == (ride.version + 1, S.PAID)


def test_a_finished_ride_names_its_driver_and_fare() -> None:
    driver_id = new_id()
    ride = a_ride(S.IN_PROGRESS, driver_id=driver_id).complete(FINAL, now=LATER)
    assert (ride.driver(), ride.fare()) == (driver_id, FINAL.fare)


def test_a_ride_without_driver_or_fare_says_so() -> None:
    ride = a_ride(S.SEARCHING)
    with pytest.raises(AssertionError, match="without a driver"):
        ride.driver()
    with pytest.raises(AssertionError, match="without a fare"):
        ride.fare()
