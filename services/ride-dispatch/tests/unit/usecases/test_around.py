"""Payments, profiles, availability, reads and housekeeping."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from dispatch_builders import NOW, POLICY, a_profile, a_ride, an_offer
from dispatch_fakes import FakeTx

from contracts.identity import ApprovalStatus, UserStatus, UserType
from contracts.ride_dispatch import (
    OfferCanceled,
    OfferEnd,
    RideCanceled,
    RidePaid,
    RidePaymentPending,
    RideReassigning,
    RideRefunded,
)
from contracts.ride_dispatch import RideStatus as S
from kernel.ids import new_id
from kernel.refusals import NotFound, NotYetKnown
from ride_dispatch.domain.driver import AccountNotActive, DriverStatus
from ride_dispatch.domain.ride import IllegalTransition
from ride_dispatch.usecases.apply_profile import apply_profile
from ride_dispatch.usecases.count_activity import count_activity
from ride_dispatch.usecases.keep_partitions import keep_partitions
from ride_dispatch.usecases.list_active_rides import list_active_rides
from ride_dispatch.usecases.list_offers import list_offers
from ride_dispatch.usecases.list_ride_history import list_ride_history
from ride_dispatch.usecases.mark_paid import mark_paid
from ride_dispatch.usecases.mark_payment_pending import mark_payment_pending
from ride_dispatch.usecases.mark_refunded import mark_refunded
from ride_dispatch.usecases.purge_records import purge_records
from ride_dispatch.usecases.read_ride import read_ride
from ride_dispatch.usecases.retire_drivers import retire_drivers
from ride_dispatch.usecases.set_availability import set_availability

FARE = Decimal("12.00")


async def test_a_charge_moves_a_completed_ride_once() -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(S.COMPLETED))
    pending = await mark_payment_pending(tx, ride_id=ride.id, now=NOW)
    again = await mark_payment_pending(tx, ride_id=ride.id, now=NOW)

    assert (pending.status, again) == (S.PAYMENT_PENDING, pending)
    [fact] = tx.facts(RidePaymentPending)
    assert fact.amount == FARE


@pytest.mark.parametrize("status", [S.COMPLETED, S.PAYMENT_PENDING])
async def test_a_payment_pays_a_ride_also_before_its_charge_is_known(status: S) -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(status))
    paid = await mark_paid(tx, ride_id=ride.id, amount=FARE, now=NOW)
    again = await mark_paid(tx, ride_id=ride.id, amount=FARE, now=NOW)
    late = await mark_payment_pending(tx, ride_id=ride.id, now=NOW)

    assert (paid.status, paid.paid_at) == (S.PAID, NOW)
    assert again == late == paid
    assert len(tx.facts(RidePaid)) == 1


async def test_only_a_full_refund_moves_the_ride() -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(S.PAID))
    part = await mark_refunded(tx, ride_id=ride.id, total=Decimal("1.00"), full=False, now=NOW)
    whole = await mark_refunded(tx, ride_id=ride.id, total=FARE, full=True, now=NOW)
    again = await mark_refunded(tx, ride_id=ride.id, total=FARE, full=True, now=NOW)

    assert (part.status, whole.status, again) == (S.PAID, S.REFUNDED, whole)
    assert [fact.amount for fact in tx.facts(RideRefunded)] == [FARE]


async def test_a_payment_of_an_unknown_or_unfinished_ride_is_a_bug() -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(S.IN_PROGRESS))
    with pytest.raises(NotFound):
        await mark_paid(tx, ride_id=new_id(), amount=FARE, now=NOW)
    with pytest.raises(IllegalTransition):
        await mark_paid(tx, ride_id=ride.id, amount=FARE, now=NOW)
    with pytest.raises(IllegalTransition):
        await mark_payment_pending(tx, ride_id=ride.id, now=NOW)
    with pytest.raises(IllegalTransition):
        await mark_refunded(tx, ride_id=ride.id, total=FARE, full=True, now=NOW)


async def test_going_online_needs_a_known_active_driver() -> None:
    tx = FakeTx()
    driver_id = tx.put_driver(online=False)
    state = await set_availability(tx, driver_id=driver_id, online=True, now=NOW)
    assert state.status is DriverStatus.AVAILABLE
    with pytest.raises(NotYetKnown):
        await set_availability(tx, driver_id=new_id(), online=True, now=NOW)
    tx.profiles.rows[driver_id] = a_profile(driver_id, status=UserStatus.BANNED)
    with pytest.raises(AccountNotActive):
        await set_availability(tx, driver_id=driver_id, online=True, now=NOW)
    off = await set_availability(tx, driver_id=driver_id, online=False, now=NOW)
    assert off.status is DriverStatus.OFFLINE


async def test_going_offline_withdraws_every_open_offer() -> None:
    tx = FakeTx()
    driver_id, other = tx.put_driver(), tx.put_driver()
    alone, shared = tx.put_ride(a_ride(S.OFFERED)), tx.put_ride(a_ride(S.OFFERED))
    tx.offers.put(an_offer(alone, driver_id), an_offer(shared, driver_id), an_offer(shared, other))

    await set_availability(tx, driver_id=driver_id, online=False, now=NOW)

    assert tx.rides.rows[alone.id].status is S.SEARCHING
    assert tx.rides.rows[shared.id].status is S.OFFERED
    withdrawn = tx.facts(OfferCanceled)
    assert {fact.driver_id for fact in withdrawn} == {driver_id}
    assert {fact.reason for fact in withdrawn} == {OfferEnd.DRIVER_GONE}


@pytest.mark.parametrize(
    "changes", [{"status": UserStatus.SUSPENDED}, {"approval_status": ApprovalStatus.REJECTED}]
)
async def test_who_may_drive_no_more_is_taken_offline(changes: dict[str, Any]) -> None:
    tx = FakeTx()
    driver_id = tx.put_driver()
    ride = tx.put_ride(a_ride(S.OFFERED))
    tx.offers.put(an_offer(ride, driver_id))

    await apply_profile(tx, profile=a_profile(driver_id, version=2, **changes), policy=POLICY, now=NOW)

    assert not tx.drivers.rows[driver_id].online
    assert len(tx.facts(OfferCanceled)) == 1


async def test_a_banned_drivers_waiting_ride_goes_to_another() -> None:
    tx = FakeTx()
    driver_id = tx.put_driver()
    ride = tx.put_ride(a_ride(S.ACCEPTED, driver_id=driver_id))
    banned = a_profile(driver_id, version=2, status=UserStatus.BANNED)

    [ended] = await apply_profile(tx, profile=banned, policy=POLICY, now=NOW)

    assert (ended.id, ended.status) == (ride.id, S.SEARCHING)
    assert len(tx.facts(RideReassigning)) == 1


async def test_a_suspended_passengers_ride_is_canceled_unless_it_is_under_way() -> None:
    tx = FakeTx()
    searching, driving = tx.put_ride(a_ride(S.SEARCHING)), tx.put_ride(a_ride(S.IN_PROGRESS))
    for ride in (searching, driving):
        profile = a_profile(ride.passenger_id, UserType.PASSENGER, version=2, status=UserStatus.SUSPENDED)
        await apply_profile(tx, profile=profile, policy=POLICY, now=NOW)

    assert tx.rides.rows[searching.id].status is S.CANCELED
    assert tx.rides.rows[driving.id].status is S.IN_PROGRESS
    assert len(tx.facts(RideCanceled)) == 1


async def test_an_older_profile_changes_nothing() -> None:
    tx = FakeTx()
    driver_id = tx.put_driver()
    old = a_profile(driver_id, version=1, status=UserStatus.BANNED)
    assert await apply_profile(tx, profile=old, policy=POLICY, now=NOW) == ()
    assert tx.drivers.rows[driver_id].online
    newcomer = a_profile(new_id(), approval_status=ApprovalStatus.PENDING)
    assert await apply_profile(tx, profile=newcomer, policy=POLICY, now=NOW) == ()


async def test_a_ride_is_read_by_its_parties_and_admins() -> None:
    tx = FakeTx()
    ride = tx.put_ride(a_ride(S.ACCEPTED))
    for user_id in (ride.passenger_id, ride.driver()):
        assert await read_ride(tx, ride_id=ride.id, user_id=user_id, is_admin=False) == ride
    assert await read_ride(tx, ride_id=ride.id, user_id=new_id(), is_admin=True) == ride
    with pytest.raises(NotFound):
        await read_ride(tx, ride_id=ride.id, user_id=new_id(), is_admin=False)
    with pytest.raises(NotFound):
        await read_ride(tx, ride_id=new_id(), user_id=ride.passenger_id, is_admin=True)


async def test_lists_split_a_users_rides_into_active_and_over() -> None:
    tx = FakeTx()
    passenger_id, driver_id = new_id(), tx.put_driver()
    active = tx.put_ride(a_ride(S.OFFERED, passenger_id=passenger_id))
    over = tx.put_ride(a_ride(S.PAID, passenger_id=passenger_id))
    tx.offers.put(an_offer(active, driver_id))

    assert await list_active_rides(tx, user_id=passenger_id) == [active]
    assert await list_ride_history(tx, user_id=passenger_id, after=None, limit=9) == [over]
    [offer] = await list_offers(tx, driver_id=driver_id, after=None, limit=9, now=NOW)
    assert offer.ride == active


async def test_silent_drivers_are_retired() -> None:
    tx = FakeTx()
    silent, heard = tx.put_driver(located_at=NOW - timedelta(hours=1)), tx.put_driver()
    assert await retire_drivers(tx, silent_s=900, limit=10, now=NOW) == [silent]
    assert tx.drivers.rows[heard].online


async def test_housekeeping_reaches_as_far_as_it_is_told() -> None:
    tx = FakeTx()
    await keep_partitions(tx, ahead_days=7, retention_days=30, now=NOW)
    today = NOW.date()
    assert tx.locations.partitions == (
        today - timedelta(days=1),
        today + timedelta(days=7),
        today - timedelta(days=30),
    )
    await purge_records(tx, before=NOW)
    assert tx.forgotten_before == NOW


async def test_activity_is_counted() -> None:
    tx = FakeTx()
    tx.put_ride(a_ride(S.SEARCHING))
    tx.put_ride(a_ride(S.PAID))
    tx.put_driver()
    tx.put_driver(current_ride_id=new_id())

    activity = await count_activity(tx)

    assert sum(activity.rides_by_status.values()) == 1
    assert (activity.drivers_online, activity.drivers_available) == (2, 1)
