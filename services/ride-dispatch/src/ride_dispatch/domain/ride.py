"""A ride, from its request to its payment: twelve states and one table of moves. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Self
from uuid import UUID

from contracts.identity import VehicleCategory
from contracts.ride_dispatch import CanceledBy, CancelReason, DriverCard, RideStatus
from kernel.refusals import Refusal
from ride_dispatch.domain.fare import FinalFare, Tariff
from ride_dispatch.domain.place import Place
from ride_dispatch.domain.search import Search, SearchPolicy

MOVES: Final[Mapping[RideStatus, frozenset[RideStatus]]] = {
    RideStatus.REQUESTED: frozenset({RideStatus.SEARCHING, RideStatus.CANCELED}),
    RideStatus.SEARCHING: frozenset({RideStatus.OFFERED, RideStatus.NO_DRIVER_FOUND, RideStatus.CANCELED}),
    RideStatus.OFFERED: frozenset({RideStatus.ACCEPTED, RideStatus.SEARCHING, RideStatus.CANCELED}),
    RideStatus.ACCEPTED: frozenset({RideStatus.DRIVER_ARRIVED, RideStatus.SEARCHING, RideStatus.CANCELED}),
    RideStatus.DRIVER_ARRIVED: frozenset({RideStatus.IN_PROGRESS, RideStatus.SEARCHING, RideStatus.CANCELED}),
    RideStatus.IN_PROGRESS: frozenset({RideStatus.COMPLETED}),
    RideStatus.COMPLETED: frozenset({RideStatus.PAYMENT_PENDING, RideStatus.PAID}),
    RideStatus.PAYMENT_PENDING: frozenset({RideStatus.PAID}),
    RideStatus.PAID: frozenset({RideStatus.REFUNDED}),
    RideStatus.REFUNDED: frozenset(),
    RideStatus.CANCELED: frozenset(),
    RideStatus.NO_DRIVER_FOUND: frozenset(),
}

SEARCHED: Final = frozenset({RideStatus.SEARCHING, RideStatus.OFFERED})
"""A driver is being looked for."""

DRIVEN: Final = frozenset({RideStatus.ACCEPTED, RideStatus.DRIVER_ARRIVED, RideStatus.IN_PROGRESS})
"""A driver is on it: at most one of these a driver, and their points carry the ride."""

OPEN: Final = frozenset({RideStatus.REQUESTED}) | SEARCHED | DRIVEN
"""Not over for the passenger: at most one of these a passenger."""

FINISHED: Final = frozenset(
    {RideStatus.COMPLETED, RideStatus.PAYMENT_PENDING, RideStatus.PAID, RideStatus.REFUNDED}
)
"""Driven to its end: it can be rated."""


UNPAID: Final = frozenset({RideStatus.COMPLETED, RideStatus.PAYMENT_PENDING})
"""Driven and not paid; with a fare of nothing there is nothing to pay."""


class IllegalTransition(Refusal):
    """The ride's state does not allow this."""

    code = "illegal_transition"
    status = 409
    pt = "A corrida não está em um estado que permita isso."
    en = "The ride's state does not allow this."


class ActiveRideExists(Refusal):
    """The passenger has a ride that is not over."""

    code = "active_ride_exists"
    status = 409
    pt = "Você já tem uma corrida em andamento."
    en = "You already have a ride under way."


class UnpaidRideExists(Refusal):
    """The passenger has a ride that was driven and not paid. It passes with the payment."""

    code = "unpaid_ride_exists"
    status = 409
    final = False
    pt = "Você tem uma corrida por pagar. Pague-a para pedir outra."
    en = "You have a ride to pay. Pay it to ask for another."


@dataclass(frozen=True, slots=True, kw_only=True)
class Ride:
    """`version` counts the writes. `tariff` is frozen at the request; `driver_card` at the accept."""

    id: UUID
    passenger_id: UUID
    category: VehicleCategory
    pickup: Place
    dropoff: Place
    estimated_fare: Decimal
    tariff: Tariff
    search: Search
    created_at: datetime
    status: RideStatus = RideStatus.REQUESTED
    version: int = 1
    quote_id: UUID | None = None
    driver_id: UUID | None = None
    driver_card: DriverCard | None = None
    final_fare: Decimal | None = None
    commission: Decimal | None = None
    distance_m: int | None = None
    duration_s: int | None = None
    accepted_at: datetime | None = None
    arrived_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    payment_pending_at: datetime | None = None
    paid_at: datetime | None = None
    refunded_at: datetime | None = None
    canceled_at: datetime | None = None
    ended_at: datetime | None = None
    canceled_by: CanceledBy | None = None
    cancel_reason: CancelReason | None = None
    cancel_comment: str | None = None

    def seek(self) -> Self:
        """Start looking for a driver."""
        return self._move(RideStatus.SEARCHING)

    def offer(self, policy: SearchPolicy, *, radius_m: int, now: datetime) -> Self:
        """A wave of offers goes out; a further wave finds the ride OFFERED already and leaves it so."""
        search = self.search.waved(policy, radius_m=radius_m, now=now)
        if self.status is RideStatus.OFFERED:
            return replace(self, search=search, version=self.version + 1)
        return self._move(RideStatus.OFFERED, search=search)

    def lose_offers(self, *, now: datetime) -> Self:
        """All offers are gone: search on, at once."""
        return self._move(RideStatus.SEARCHING, search=replace(self.search, next_wave_at=now))

    def accept(self, *, driver_id: UUID, card: DriverCard, now: datetime) -> Self:
        """`driver_id` takes the ride."""
        return self._move(RideStatus.ACCEPTED, driver_id=driver_id, driver_card=card, accepted_at=now)

    def arrive(self, *, now: datetime) -> Self:
        """The driver is at the pickup."""
        return self._move(RideStatus.DRIVER_ARRIVED, arrived_at=now)

    def start(self, *, now: datetime) -> Self:
        """The passenger is in the car."""
        return self._move(RideStatus.IN_PROGRESS, started_at=now)

    def complete(self, final: FinalFare, *, now: datetime) -> Self:
        """The passenger is at the destination; the fare is fixed."""
        return self._move(
            RideStatus.COMPLETED,
            final_fare=final.fare,
            commission=final.commission,
            distance_m=final.distance_m,
            duration_s=final.duration_s,
            completed_at=now,
        )

    def reassign(self, policy: SearchPolicy, *, now: datetime) -> Self:
        """The driver gave up: a new try, as if nobody had accepted."""
        return self._move(
            RideStatus.SEARCHING,
            search=self.search.again(policy, now=now),
            driver_id=None,
            driver_card=None,
            accepted_at=None,
            arrived_at=None,
        )

    def cancel(
        self, *, by: CanceledBy, reason: CancelReason, comment: str | None = None, now: datetime
    ) -> Self:
        """The ride will not happen."""
        return self._move(
            RideStatus.CANCELED,
            canceled_by=by,
            cancel_reason=reason,
            cancel_comment=comment,
            canceled_at=now,
        )

    def give_up_search(self, *, now: datetime) -> Self:
        """The search's time is over and nobody took the ride."""
        return self._move(RideStatus.NO_DRIVER_FOUND, ended_at=now)

    def await_payment(self, *, now: datetime) -> Self:
        """The charge exists."""
        return self._move(RideStatus.PAYMENT_PENDING, payment_pending_at=now)

    def pay(self, *, now: datetime) -> Self:
        """The fare was received, or there was nothing to pay."""
        return self._move(RideStatus.PAID, paid_at=now)

    def refund(self, *, now: datetime) -> Self:
        """The whole fare went back."""
        return self._move(RideStatus.REFUNDED, refunded_at=now)

    def touch(self) -> Self:
        """A write that moves no state, such as a rating, still counts as a version."""
        return replace(self, version=self.version + 1)

    def driver(self) -> UUID:
        """The driver of a ride that has one."""
        assert self.driver_id is not None, f"ride {self.id} is {self.status} without a driver"
        return self.driver_id

    def fare(self) -> Decimal:
        """The fare of a ride that was completed."""
        assert self.final_fare is not None, f"ride {self.id} is {self.status} without a fare"
        return self.final_fare

    def _move(self, to: RideStatus, **changes: Any) -> Self:
        if to not in MOVES[self.status]:
            raise IllegalTransition(f"{self.status} to {to}")
        return replace(self, status=to, version=self.version + 1, **changes)
