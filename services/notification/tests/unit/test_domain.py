"""Who hears of what, and where an app stands in its log."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from contracts.base import Fact
from contracts.identity import VehicleCategory
from contracts.payment import PaymentConfirmed, PaymentIntentCreated
from contracts.ride_dispatch import (
    CanceledBy,
    CancelReason,
    DriverLocationUpdated,
    RideCanceled,
    RideCompleted,
    RideStatus,
)
from kernel.ids import new_id
from notification.domain.audience import AUDIENCES, location_message, messages_of
from notification.domain.cursor import Arrival, Cursor, starting_offset
from notification.domain.message import frame
from notification.domain.ticket import ticket_hash

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
API_FRAMES = {
    "ride.offered", "ride.accepted", "offer.canceled", "ride.driver_arrived", "ride.started",
    "ride.completed", "ride.canceled", "ride.reassigning", "ride.no_driver_found", "ride.paid",
    "payment.intent.created",
    "payment.confirmed", "payment.expired", "payment.refunded", "payout.completed", "payout.failed",
    "payout.returned",
}  # fmt: skip


def heard(fact: Fact) -> dict[Any, dict[str, Any]]:
    """Data by the user who hears of it."""
    made = messages_of(fact, event_id=new_id(), occurred_at=NOW)
    return {message.user_id: dict(message.data) for message in made}


def test_every_frame_of_the_public_contract_has_its_audience() -> None:
    assert {fact.fact for fact in AUDIENCES} == API_FRAMES


def test_the_commission_is_between_the_driver_and_the_platform() -> None:
    fact = RideCompleted(
        ride_id=new_id(),
        passenger_id=new_id(),
        driver_id=new_id(),
        category=VehicleCategory.STANDARD,
        final_fare=Decimal("50.00"),
        commission=Decimal("10.00"),
        commission_bps=2000,
        distance_m=5000,
        duration_s=900,
        completed_at=NOW,
    )
    data = heard(fact)
    assert "commission" not in data[fact.passenger_id]
    assert data[fact.driver_id]["commission"] == "10.00"
    assert data[fact.passenger_id]["final_fare"] == "50.00"


def test_only_the_passenger_gets_the_codes() -> None:
    fact = PaymentIntentCreated(
        ride_id=new_id(),
        payment_id=new_id(),
        passenger_id=new_id(),
        driver_id=new_id(),
        amount=Decimal("50.00"),
        txid="t" * 32,
        pix_copy_paste="000201",
        expires_at=NOW,
    )
    assert heard(fact) == {fact.passenger_id: {**heard(fact)[fact.passenger_id], "pix_copy_paste": "000201"}}


def test_the_driver_does_not_learn_the_passengers_pix() -> None:
    fact = PaymentConfirmed(
        ride_id=new_id(),
        payment_id=new_id(),
        passenger_id=new_id(),
        driver_id=new_id(),
        amount=Decimal("50.00"),
        commission=Decimal("10.00"),
        fee=Decimal("0.00"),
        txid="t" * 32,
        e2e_id="E1",
        paid_at=NOW,
        confirmed_at=NOW,
    )
    assert {"txid", "e2e_id", "fee"}.isdisjoint(heard(fact)[fact.driver_id])
    assert heard(fact)[fact.driver_id]["commission"] == "10.00"


def test_a_ride_without_a_driver_tells_only_its_passenger() -> None:
    fact = RideCanceled(
        ride_id=new_id(),
        passenger_id=new_id(),
        canceled_by=CanceledBy.PASSENGER,
        reason=CancelReason.CHANGED_MIND,
        previous_status=RideStatus.SEARCHING,
        canceled_at=NOW,
    )
    assert list(heard(fact)) == [fact.passenger_id]


def a_location(**changes: Any) -> DriverLocationUpdated:
    fields = {"driver_id": new_id(), "lat": -23.55, "lon": -46.63, "recorded_at": NOW, **changes}
    return DriverLocationUpdated(**fields)


def test_a_position_outside_a_ride_is_for_nobody() -> None:
    assert location_message(a_location(), event_id=new_id()) is None
    assert location_message(a_location(passenger_id=new_id()), event_id=new_id()) is None


def test_a_position_frame_has_no_offset_and_does_not_name_the_passenger() -> None:
    fact = a_location(passenger_id=new_id(), ride_id=new_id())
    message = location_message(fact, event_id=new_id())
    assert message is not None
    made = frame(message)
    assert made["type"] == "driver.location.updated"
    assert "offset" not in made
    assert "passenger_id" not in made["data"]
    assert made["data"]["ride_id"] == str(fact.ride_id)


def test_frames_say_when_in_utc() -> None:
    message = messages_of(
        RideCanceled(
            ride_id=new_id(),
            passenger_id=new_id(),
            canceled_by=CanceledBy.SYSTEM,
            reason=CancelReason.OTHER,
            previous_status=RideStatus.SEARCHING,
            canceled_at=NOW,
        ),
        event_id=new_id(),
        occurred_at=NOW,
    )[0]
    assert frame(message, offset=3)["occurred_at"] == "2026-11-24T12:00:00Z"
    assert frame(message, offset=3)["offset"] == 3


@pytest.mark.parametrize(
    ("offset", "arrival"), [(4, Arrival.SKIP), (5, Arrival.SKIP), (6, Arrival.SEND), (7, Arrival.CATCH_UP)]
)
def test_a_message_is_sent_skipped_or_shows_a_gap(offset: int, arrival: Arrival) -> None:
    assert Cursor(last=5).arrival(offset) is arrival


@pytest.mark.parametrize(
    ("asked_epoch", "asked_offset", "start"),
    [(None, None, 9), ("e", None, 9), ("e", 4, 4), ("e", 9, 9), ("e", 10, 9), ("e", -1, 9), ("other", 4, 9)],
)
def test_an_app_goes_on_only_in_the_log_that_it_knows(
    asked_epoch: str | None, asked_offset: int | None, start: int
) -> None:
    assert starting_offset(epoch="e", last=9, asked_epoch=asked_epoch, asked_offset=asked_offset) == start


def test_a_ticket_is_stored_as_its_hash() -> None:
    assert ticket_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
