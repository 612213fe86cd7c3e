"""accept_ride, reject_offer, arrive_ride, start_ride, complete_ride, cancel_ride, rate_ride."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from dispatch_builders import DROPOFF, FREE, NOW, PICKUP, POLICY, a_profile, a_ride, an_offer
from dispatch_fakes import FakeTx

from contracts.audit import AuditRecorded
from contracts.identity import ApprovalStatus
from contracts.ride_dispatch import (
    CanceledBy,
    CancelReason,
    DriverLocationUpdated,
    OfferCanceled,
    OfferEnd,
    RideAccepted,
    RideCanceled,
    RideCompleted,
    RideDriverArrived,
    RidePaid,
    RideRated,
    RideReassigning,
    RideStarted,
)
from contracts.ride_dispatch import RideStatus as S
from kernel.actor import SYSTEM, Actor
from kernel.ids import new_id
from kernel.refusals import NotFound, NotYetKnown
from ride_dispatch.domain.driver import DriverNotApproved
from ride_dispatch.domain.offer import OfferResponse, RideNotAvailable
from ride_dispatch.domain.place import distance_m
from ride_dispatch.domain.rating import AlreadyRated
from ride_dispatch.domain.ride import IllegalTransition, Ride
from ride_dispatch.usecases.accept_ride import accept_ride
from ride_dispatch.usecases.arrive_ride import arrive_ride
from ride_dispatch.usecases.cancel_ride import cancel_ride
from ride_dispatch.usecases.complete_ride import complete_ride
from ride_dispatch.usecases.rate_ride import rate_ride
from ride_dispatch.usecases.reject_offer import reject_offer
from ride_dispatch.usecases.start_ride import start_ride


def offered(tx: FakeTx, count: int = 1) -> tuple[Ride, list[UUID]]:
    ride = tx.put_ride(a_ride(S.OFFERED))
    drivers = [tx.put_driver() for _ in range(count)]
    tx.offers.put(*(an_offer(ride, driver_id) for driver_id in drivers))
    return ride, drivers


async def accept(tx: FakeTx, ride: Ride, driver_id: UUID, **changes: Any) -> Ride | RideNotAvailable:
    values: dict[str, Any] = {"idempotency_key": "k", "now": NOW}
    return await accept_ride(tx, ride_id=ride.id, driver_id=driver_id, **(values | changes))


async def test_the_winner_takes_the_ride_and_the_losers_offers_go() -> None:
    tx = FakeTx()
    ride, [winner, *losers] = offered(tx, 4)

    taken = await accept(tx, ride, winner)

    assert isinstance(taken, Ride)
    assert (taken.status, taken.driver_id, taken.accepted_at) == (S.ACCEPTED, winner, NOW)
    assert tx.drivers.rows[winner].current_ride_id == ride.id
    assert tx.offers.rows[ride.id, winner].response is OfferResponse.ACCEPTED
    [accepted] = tx.facts(RideAccepted)
    assert accepted.driver.full_name == "Ana Souza"
    withdrawn = tx.facts(OfferCanceled)
    assert {fact.driver_id for fact in withdrawn} == set(losers)
    assert {fact.reason for fact in withdrawn} == {OfferEnd.TAKEN}
    assert {version for _, version in tx.published} == {taken.version}
    assert tx.attempts.rows == [(ride.id, winner, f"{winner}:k", None)]


async def test_a_loser_is_told_and_the_attempt_is_kept() -> None:
    tx = FakeTx()
    ride, [winner, loser] = offered(tx, 2)
    await accept(tx, ride, winner)

    lost = await accept(tx, ride, loser)

    assert isinstance(lost, RideNotAvailable)
    assert tx.attempts.rows[-1] == (ride.id, loser, f"{loser}:k", "not_offered_any_more")


@pytest.mark.parametrize("status", [S.ACCEPTED, S.IN_PROGRESS, S.PAID])
async def test_the_winner_who_asks_again_gets_the_ride(status: S) -> None:
    tx = FakeTx()
    driver_id = tx.put_driver()
    ride = tx.put_ride(a_ride(status, driver_id=driver_id))

    assert await accept(tx, ride, driver_id, idempotency_key="other") == ride
    assert tx.published == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expires_at": NOW}, "offer_over"),
        ({"response": OfferResponse.REJECTED}, "offer_over"),
    ],
)
async def test_an_offer_that_is_over_cannot_be_accepted(change: dict[str, Any], reason: str) -> None:
    tx = FakeTx()
    ride, driver_id = tx.put_ride(a_ride(S.OFFERED)), tx.put_driver()
    tx.offers.put(an_offer(ride, driver_id, **change))

    lost = await accept(tx, ride, driver_id)

    assert isinstance(lost, RideNotAvailable)
    assert lost.detail == reason


async def test_a_driver_without_an_offer_or_on_another_ride_loses() -> None:
    tx = FakeTx()
    ride, [driver_id] = offered(tx)
    tx.drivers.put(driver_id, current_ride_id=new_id())
    never = await accept(tx, ride, tx.put_driver())
    busy = await accept(tx, ride, driver_id)
    tx.drivers.put(driver_id)
    tx.put_ride(a_ride(S.ACCEPTED, driver_id=driver_id))
    by_index = await accept(tx, ride, driver_id)

    outcomes = [never, busy, by_index]
    assert [getattr(lost, "detail", None) for lost in outcomes] == [
        "never_offered",
        "driver_busy",
        "driver_busy",
    ]
    assert tx.rides.rows[ride.id].status is S.OFFERED


async def test_who_may_not_drive_may_not_accept() -> None:
    tx = FakeTx()
    ride, [driver_id] = offered(tx)
    with pytest.raises(NotYetKnown):
        await accept(tx, ride, new_id())
    with pytest.raises(NotFound):
        await accept(tx, a_ride(), driver_id)
    tx.profiles.rows[driver_id] = a_profile(driver_id, approval_status=ApprovalStatus.PENDING)
    with pytest.raises(DriverNotApproved):
        await accept(tx, ride, driver_id)
    assert tx.attempts.rows == []


async def test_the_last_no_sends_the_ride_on() -> None:
    tx = FakeTx()
    ride, [first, second] = offered(tx, 2)

    after_first = await reject_offer(tx, ride_id=ride.id, driver_id=first, now=NOW)
    after_second = await reject_offer(tx, ride_id=ride.id, driver_id=second, now=NOW)
    again = await reject_offer(tx, ride_id=ride.id, driver_id=first, now=NOW)

    assert [r.status for r in (after_first, after_second, again)] == [S.OFFERED, S.SEARCHING, S.SEARCHING]
    assert tx.published == []


async def test_what_was_never_offered_or_is_over_cannot_be_rejected() -> None:
    tx = FakeTx()
    ride, [driver_id] = offered(tx)
    with pytest.raises(RideNotAvailable):
        await reject_offer(tx, ride_id=ride.id, driver_id=new_id(), now=NOW)
    with pytest.raises(RideNotAvailable):
        await reject_offer(tx, ride_id=ride.id, driver_id=driver_id, now=NOW + timedelta(minutes=1))
    with pytest.raises(NotFound):
        await reject_offer(tx, ride_id=new_id(), driver_id=driver_id, now=NOW)


async def test_the_driver_arrives_and_starts() -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(S.ACCEPTED))
    arrived = await arrive_ride(tx, ride_id=ride.id, driver_id=ride.driver(), now=NOW)
    started = await start_ride(tx, ride_id=ride.id, driver_id=ride.driver(), now=NOW)

    assert (arrived.arrived_at, started.started_at, started.status) == (NOW, NOW, S.IN_PROGRESS)
    assert len(tx.facts(RideDriverArrived)) == len(tx.facts(RideStarted)) == 1
    with pytest.raises(NotFound):
        await start_ride(tx, ride_id=ride.id, driver_id=new_id(), now=NOW)
    with pytest.raises(IllegalTransition):
        await arrive_ride(tx, ride_id=ride.id, driver_id=ride.driver(), now=NOW)


async def complete(tx: FakeTx, ride: Ride, **changes: Any) -> Ride:
    values: dict[str, Any] = {"driver_id": ride.driver_id, "advisory_m": None, "actor": SYSTEM}
    values["now"] = NOW + timedelta(minutes=10)
    return await complete_ride(tx, ride_id=ride.id, **(values | changes))


async def test_a_completed_ride_costs_what_was_driven() -> None:
    tx = FakeTx()
    driver_id = tx.put_driver()
    ride = tx.put_ride(a_ride(S.IN_PROGRESS, driver_id=driver_id))
    tx.drivers.put(driver_id, current_ride_id=ride.id)
    for n, place in enumerate((PICKUP, DROPOFF, PICKUP)):
        tx.locations.points.append(
            DriverLocationUpdated(
                driver_id=driver_id,
                lat=place.lat,
                lon=place.lon,
                recorded_at=NOW + timedelta(minutes=n),
                ride_id=ride.id,
            )
        )

    done = await complete(tx, ride, advisory_m=1)

    assert done.status is S.COMPLETED
    assert done.distance_m == round(2 * distance_m(PICKUP, DROPOFF))
    assert done.duration_s == 600
    assert tx.drivers.rows[driver_id].current_ride_id is None
    [fact] = tx.facts(RideCompleted)
    assert (fact.final_fare, fact.commission) == (done.final_fare, done.commission)
    [audit] = tx.facts(AuditRecorded)
    assert audit.after is not None
    assert audit.after["final_fare"] == str(done.final_fare)


async def test_a_free_ride_is_paid_at_once() -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(S.IN_PROGRESS, tariff=FREE))

    done = await complete(tx, ride)

    assert (done.status, done.final_fare, done.paid_at) == (
        S.PAID,
        Decimal("0.00"),
        NOW + timedelta(minutes=10),
    )
    [paid] = tx.facts(RidePaid)
    assert paid.amount == Decimal("0.00")


@pytest.mark.parametrize("status", [S.ACCEPTED, S.DRIVER_ARRIVED, S.COMPLETED])
async def test_only_a_ride_under_way_is_completed(status: S) -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(status))
    with pytest.raises(IllegalTransition):
        await complete(tx, ride)


def actor(user_id: UUID) -> Actor:
    return Actor(user_id=user_id, user_type="passenger")


async def cancel(tx: FakeTx, ride: Ride, by: CanceledBy, who: Actor, **changes: Any) -> Ride:
    values: dict[str, Any] = {"reason": CancelReason.OTHER, "policy": POLICY, "now": NOW}
    return await cancel_ride(tx, ride_id=ride.id, by=by, actor=who, **(values | changes))


@pytest.mark.parametrize("status", [S.SEARCHING, S.OFFERED, S.ACCEPTED, S.DRIVER_ARRIVED])
async def test_a_passenger_cancels_before_the_start(status: S) -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(status))
    tx.offers.put(an_offer(ride, tx.put_driver()))
    if ride.driver_id:
        tx.drivers.put(ride.driver_id, current_ride_id=ride.id)

    canceled = await cancel(tx, ride, CanceledBy.PASSENGER, actor(ride.passenger_id))

    assert canceled.status is S.CANCELED
    [fact] = tx.facts(RideCanceled)
    assert (fact.previous_status, fact.driver_id) == (status, ride.driver_id)
    assert [fact.reason for fact in tx.facts(OfferCanceled)] == [OfferEnd.RIDE_CANCELED]
    assert all(state.current_ride_id is None for state in tx.drivers.rows.values())
    assert tx.facts(AuditRecorded)[0].action == "cancel_ride"


@pytest.mark.parametrize("status", [S.ACCEPTED, S.DRIVER_ARRIVED])
async def test_a_driver_who_gives_up_is_excluded_for_good(status: S) -> None:
    tx = FakeTx()
    driver_id = tx.put_driver()
    ride = tx.put_ride(a_ride(status, driver_id=driver_id))
    tx.drivers.put(driver_id, current_ride_id=ride.id)
    tx.offers.put(an_offer(ride, driver_id, response=OfferResponse.ACCEPTED))

    searching = await cancel(tx, ride, CanceledBy.DRIVER, actor(driver_id))

    assert (searching.status, searching.driver_id) == (S.SEARCHING, None)
    assert tx.offers.rows[ride.id, driver_id].bars(try_no=99)
    assert tx.drivers.rows[driver_id].current_ride_id is None
    [fact] = tx.facts(RideReassigning)
    assert fact.driver_id == driver_id
    assert tx.facts(RideCanceled) == []


async def test_a_no_show_ends_the_ride() -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(S.DRIVER_ARRIVED))
    no_show = await cancel(
        tx,
        ride,
        CanceledBy.DRIVER,
        actor(ride.driver()),
        reason=CancelReason.PASSENGER_NO_SHOW,
        comment="20 min",
    )
    assert (no_show.status, no_show.canceled_by) == (S.CANCELED, CanceledBy.DRIVER)
    assert no_show.cancel_comment == "20 min"


async def test_the_system_may_cancel_and_strangers_may_not() -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(S.ACCEPTED))
    with pytest.raises(NotFound):
        await cancel(tx, ride, CanceledBy.PASSENGER, actor(new_id()))
    with pytest.raises(NotFound):
        await cancel(tx, ride, CanceledBy.DRIVER, actor(new_id()))
    with pytest.raises(NotFound):
        await cancel(tx, a_ride(), CanceledBy.SYSTEM, SYSTEM)
    assert (await cancel(tx, ride, CanceledBy.SYSTEM, SYSTEM)).canceled_by is CanceledBy.SYSTEM


@pytest.mark.parametrize("by", [CanceledBy.PASSENGER, CanceledBy.DRIVER])
async def test_a_ride_under_way_is_not_canceled(by: CanceledBy) -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(S.IN_PROGRESS))
    who = ride.passenger_id if by is CanceledBy.PASSENGER else ride.driver()
    with pytest.raises(IllegalTransition):
        await cancel(tx, ride, by, actor(who))


async def test_a_rating_is_told_with_a_version_of_its_own() -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(S.PAID))

    async def rate() -> None:
        await rate_ride(
            tx,
            ride_id=ride.id,
            rater_id=ride.passenger_id,
            stars=5,
            tags=("gentil",),
            comment=None,
            now=NOW,
        )

    await rate()

    [(fact, version)] = tx.published
    assert isinstance(fact, RideRated)
    assert (fact.rated_id, fact.tags, version) == (ride.driver_id, ("gentil",), ride.version + 1)
    with pytest.raises(AlreadyRated):
        await rate()
    with pytest.raises(NotFound):
        await rate_ride(tx, ride_id=new_id(), rater_id=new_id(), stars=1, tags=(), comment=None, now=NOW)
