"""Fakes against payment's ports: one in-memory database, one bank that does what a test tells it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from contracts.base import Fact
from kernel.ids import new_id
from payment.domain.booked import BookedPix
from payment.domain.charge import Charge, ChargeStatus
from payment.domain.claim import Rejection
from payment.domain.devolution import Devolution
from payment.domain.intent import Intent
from payment.domain.policy import Policy
from payment.domain.provider import (
    ChargeState,
    ProviderCharge,
    ProviderError,
    ProviderRefund,
    ProviderRefused,
    RefundState,
)
from payment.domain.received import Received, Source
from payment.domain.refund import OPEN, Refund, RefundStatus, RefundTarget
from payment.domain.ride import Ride, RideState
from payment.domain.statement import Movement
from payment.domain.webhook import Delivery, EventType, Outcome, WebhookEvent, payload_hash

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
POLICY = Policy(charge_ttl_s=900.0, janitor_s=300.0)
CODE = "00020101021226830014BR.GOV.BCB.PIX2561qrcodespix.example/v2/abc5204000053039865802BR6304ABCD"


def completed_ride(*, fare: str = "50.00", commission: str = "10.00") -> Ride:
    return Ride(
        id=new_id(),
        passenger_id=new_id(),
        driver_id=new_id(),
        state=RideState.COMPLETED,
        fare=Decimal(fare),
        commission=Decimal(commission),
    )


def a_pix(*, txid: str | None, amount: str = "50.00", e2e_id: str | None = None) -> Received:
    e2e = e2e_id or f"E09089356{new_id().hex[-23:]}"
    return Received(e2e_id=e2e, txid=txid, amount=Decimal(amount), fee=Decimal("0.00"), paid_at=NOW)


def an_event(
    *,
    event_type: EventType = EventType.RECEIVED,
    e2e_id: str | None = None,
    reference: str | None = None,
    status: str | None = None,
    attempts: int = 0,
    txid: str | None = None,
    amount: str | None = None,
) -> WebhookEvent:
    return WebhookEvent(
        id=new_id(),
        event_type=event_type,
        payload={},
        payload_hash=payload_hash({"e2e": e2e_id}),
        received_at=NOW,
        e2e_id=e2e_id,
        reference=reference,
        status=status,
        attempts=attempts,
        txid=txid,
        amount=None if amount is None else Decimal(amount),
    )


def a_delivery(*, received_at: datetime = NOW, ttl_s: float = 60.0) -> Delivery:
    return Delivery(
        id=new_id(),
        sealed=b"sealed",
        sha256="0" * 64,
        redacted={"pix": []},
        received_at=received_at,
        shred_at=received_at + timedelta(seconds=ttl_s),
    )


class FakeRides:
    def __init__(self) -> None:
        self.rows: dict[UUID, Ride] = {}

    async def get(self, ride_id: UUID) -> Ride | None:
        return self.rows.get(ride_id)

    lock = get

    async def put(self, ride: Ride) -> None:
        self.rows[ride.id] = ride


class FakeIntents:
    def __init__(self) -> None:
        self.intents: dict[UUID, Intent] = {}
        self.charges: dict[UUID, Charge] = {}
        self.leases: dict[UUID, datetime] = {}
        self.attempts: dict[UUID, int] = {}

    async def add(self, intent: Intent, charge: Charge) -> None:
        self.intents[intent.id], self.charges[intent.id] = intent, charge

    async def get(self, intent_id: UUID) -> tuple[Intent, Charge] | None:
        if intent_id not in self.intents:
            return None
        return self.intents[intent_id], self.charges[intent_id]

    lock = get

    async def lock_by_txid(self, txid: str) -> tuple[Intent, Charge] | None:
        for charge in self.charges.values():
            if charge.txid == txid:
                return await self.get(charge.payment_intent_id)
        return None

    async def latest_of(self, ride_id: UUID) -> tuple[Intent, Charge] | None:
        ids = sorted(intent.id for intent in self.intents.values() if intent.ride_id == ride_id)
        return await self.get(ids[-1]) if ids else None

    async def save(self, intent: Intent) -> None:
        assert self.intents[intent.id].version == intent.version - 1
        self.intents[intent.id] = intent

    async def save_charge(self, charge: Charge) -> None:
        self.charges[charge.payment_intent_id] = charge

    async def claim_unsubmitted(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Charge]:
        due = [c for c in self._active(now) if not c.submitted and c.expires_at > now]
        return self._lease(due[:limit], until)

    async def claim_overdue(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Charge]:
        return self._lease([c for c in self._active(now) if c.expires_at <= now][:limit], until)

    async def claim_stale(
        self, *, created_before: datetime, now: datetime, until: datetime, limit: int
    ) -> Sequence[Charge]:
        due = [c for c in self._active(now) if c.submitted and c.created_at <= created_before]
        return self._lease(due[:limit], until)

    async def postpone(self, charge_id: UUID, *, until: datetime, failed: bool) -> None:
        self.leases[charge_id] = until
        self.attempts[charge_id] = self.attempts.get(charge_id, 0) + failed

    async def attempts_of(self, charge_id: UUID) -> int:
        return self.attempts.get(charge_id, 0)

    def _active(self, now: datetime) -> list[Charge]:
        return [
            charge
            for charge in self.charges.values()
            if charge.status is ChargeStatus.ACTIVE and self.leases.get(charge.id, now) <= now
        ]

    def _lease(self, charges: list[Charge], until: datetime) -> list[Charge]:
        self.leases |= {charge.id: until for charge in charges}
        return charges


class FakeReceived:
    def __init__(self) -> None:
        self.rows: dict[str, BookedPix] = {}
        self.swept: datetime | None = None

    async def claim(self, booked: BookedPix, *, source: Source, now: datetime) -> bool:
        if booked.e2e_id in self.rows:
            return False
        self.rows[booked.e2e_id] = booked
        return True

    async def get(self, e2e_id: str) -> BookedPix | None:
        return self.rows.get(e2e_id)

    lock = get

    async def of_ride(self, ride_id: UUID) -> Sequence[BookedPix]:
        return [booked for booked in self.rows.values() if booked.ride_id == ride_id]

    async def known(self, e2e_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(e2e_ids) & self.rows.keys()

    async def page(
        self, *, mismatch: bool, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[BookedPix]:
        rows = [booked for booked in self.rows.values() if booked.mismatch is not None or not mismatch]
        return rows[:limit]

    async def swept_until(self) -> datetime | None:
        return self.swept

    async def sweep_to(self, until: datetime) -> None:
        self.swept = until


class FakeWebhooks:
    def __init__(self) -> None:
        self.rows: dict[UUID, WebhookEvent] = {}
        self.outcomes: dict[UUID, Outcome] = {}
        self.leases: dict[UUID, datetime] = {}
        self.deliveries: dict[UUID, Delivery] = {}
        self.shredded: set[UUID] = set()

    async def keep(self, delivery: Delivery) -> None:
        self.deliveries[delivery.id] = delivery

    async def shred(self, *, now: datetime, limit: int) -> int:
        due = [d.id for d in self.deliveries.values() if d.shred_at <= now and d.id not in self.shredded]
        self.shredded |= set(due[:limit])
        return len(due[:limit])

    async def add(self, events: Sequence[WebhookEvent]) -> None:
        self.rows |= {event.id: event for event in events}

    async def claim(self, *, now: datetime, until: datetime, limit: int) -> Sequence[WebhookEvent]:
        due = [
            replace(event, attempts=event.attempts + 1)
            for event in self.rows.values()
            if event.id not in self.outcomes and self.leases.get(event.id, now) <= now
        ][:limit]
        self.rows |= {event.id: event for event in due}
        self.leases |= {event.id: until for event in due}
        return due

    async def finish(self, event_ids: Sequence[UUID], *, outcome: Outcome, now: datetime) -> None:
        self.outcomes |= dict.fromkeys(event_ids, outcome)

    async def postpone(self, event_ids: Sequence[UUID], *, until: datetime) -> None:
        self.leases |= dict.fromkeys(event_ids, until)

    async def seen(self, e2e_id: str) -> bool:
        return any(event.e2e_id == e2e_id for event in self.rows.values())


class FakeClaims:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], Rejection] = {}

    async def reject(self, rejection: Rejection, *, now: datetime) -> bool:
        key = (rejection.e2e_id, rejection.kind, rejection.reference)
        new = key not in self.rows
        self.rows.setdefault(key, rejection)
        return new


class FakeRefunds:
    def __init__(self) -> None:
        self.rows: dict[UUID, Refund] = {}
        self.due: dict[UUID, datetime] = {}

    async def add(self, refund: Refund) -> None:
        self.rows[refund.id] = refund

    async def get(self, refund_id: UUID) -> Refund | None:
        return self.rows.get(refund_id)

    lock = get

    async def save(self, refund: Refund) -> None:
        self.rows[refund.id] = refund

    async def by_efi_id(self, e2e_id: str, efi_id: str) -> Sequence[Refund]:
        return [r for r in self.rows.values() if (r.e2e_id, r.efi_id) == (e2e_id, efi_id)]

    async def of_e2e(self, e2e_id: str) -> Sequence[Refund]:
        return [r for r in self.rows.values() if r.e2e_id == e2e_id]

    async def asked_for(self, e2e_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(r.e2e_id for r in self.rows.values()) & frozenset(e2e_ids)

    async def of_payment(self, intent_id: UUID) -> Sequence[Refund]:
        of_fare = [r for r in self.rows.values() if r.target is RefundTarget.FARE]
        return [r for r in of_fare if r.payment_intent_id == intent_id]

    async def open_amount(self, intent_id: UUID) -> Decimal:
        return _sum(r for r in await self.of_payment(intent_id) if r.status in OPEN)

    async def credit_given(self, e2e_id: str) -> Decimal:
        return _sum(r for r in self._credits(e2e_id) if r.status is not RefundStatus.FAILED)

    async def credit_refunded(self, e2e_id: str) -> Decimal:
        return _sum(r for r in self._credits(e2e_id) if r.status is RefundStatus.REFUNDED)

    async def oldest_open(self) -> datetime | None:
        return min((r.created_at for r in self.rows.values() if r.status in OPEN), default=None)

    async def claim_open(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Refund]:
        due = [r for r in self.rows.values() if r.status in OPEN and self.due.get(r.id, now) <= now][:limit]
        claimed = [replace(refund, attempts=refund.attempts + 1) for refund in due]
        self.rows |= {refund.id: refund for refund in claimed}
        self.due |= {refund.id: until for refund in claimed}
        return claimed

    async def postpone(self, refund_id: UUID, *, until: datetime) -> None:
        self.due[refund_id] = until

    def _credits(self, e2e_id: str) -> list[Refund]:
        return [r for r in self.rows.values() if r.e2e_id == e2e_id and r.target is RefundTarget.CREDIT]


def _sum(refunds: Iterable[Refund]) -> Decimal:
    return sum((refund.amount for refund in refunds), Decimal("0.00"))


class FakeStatements:
    def __init__(self) -> None:
        self.days: dict[date, int] = {}
        self.reports: dict[date, tuple[str, datetime]] = {}

    async def oldest(self) -> date | None:
        return min(self.days, default=None)

    async def published_since(self, day: date) -> frozenset[date]:
        return frozenset(known for known in self.days if known >= day)

    async def report_of(self, day: date) -> tuple[str, datetime] | None:
        return self.reports.get(day)

    async def note_report(self, day: date, *, report_id: str, now: datetime) -> None:
        self.reports.setdefault(day, (report_id, now))

    async def claim(self, day: date, *, lines: int, now: datetime) -> bool:
        if day in self.days:
            return False
        self.days[day] = lines
        return True


@dataclass
class FakeTx:
    rides: FakeRides = field(default_factory=FakeRides)
    intents: FakeIntents = field(default_factory=FakeIntents)
    received: FakeReceived = field(default_factory=FakeReceived)
    webhooks: FakeWebhooks = field(default_factory=FakeWebhooks)
    claims: FakeClaims = field(default_factory=FakeClaims)
    refunds: FakeRefunds = field(default_factory=FakeRefunds)
    statements: FakeStatements = field(default_factory=FakeStatements)
    facts: list[Fact] = field(default_factory=list)

    async def publish(self, fact: Fact, *, version: int = 0) -> UUID:
        self.facts.append(fact)
        return new_id()

    def told(self) -> list[str]:
        """The bare names of the facts published, in order."""
        return [fact.fact for fact in self.facts]


class FakeBank:
    """A provider that a test scripts. `failing` is raised by every call while it is set, `refusing_refunds` by
    those that ask for a refund. `outside` holds devolutions that somebody else asked for, by e2eId; `reports`
    what a report of a day shows (None: it is still made; no entry: refused).
    """

    def __init__(self) -> None:
        self.received: dict[str, Received] = {}
        self.states: dict[str, ChargeState] = {}
        self.refunds: dict[str, ProviderRefund] = {}
        self.outside: dict[str, list[Devolution]] = {}
        self.moved: list[Movement] = []
        self.reports: dict[str, list[Movement] | None] = {}
        self.held = Decimal("0.00")
        self.failing: ProviderError | None = None
        self.refusing_refunds: ProviderRefused | None = None
        self.calls: list[str] = []

    def pay(self, received: Received) -> None:
        self.received[received.e2e_id] = received
        if received.txid is not None and self.states.get(received.txid) is not ChargeState.REMOVED:
            self.states[received.txid] = ChargeState.PAID

    async def create_charge(self, charge: Charge, *, now: datetime) -> str:
        self._called(f"create {charge.txid}")
        self.states.setdefault(charge.txid, ChargeState.ACTIVE)
        return CODE

    async def find_charge(self, txid: str) -> ProviderCharge:
        self._called(f"find {txid}")
        of_charge = tuple(r for r in self.received.values() if r.txid == txid)
        return ProviderCharge(state=self.states[txid], received=of_charge)

    async def remove_charge(self, txid: str) -> ProviderCharge:
        self._called(f"remove {txid}")
        if self.states[txid] is ChargeState.ACTIVE:
            self.states[txid] = ChargeState.REMOVED
        return await self.find_charge(txid)

    async def find_received(self, e2e_id: str) -> Received | None:
        self._called(f"received {e2e_id}")
        found = self.received.get(e2e_id)
        return None if found is None else self._with_devolutions(found)

    async def list_received(self, *, start: datetime, end: datetime) -> AsyncIterator[Received]:
        self._called("list")
        for received in self.received.values():
            if start <= received.paid_at < end and received.ours:
                yield self._with_devolutions(received)

    async def refund(self, refund: Refund) -> ProviderRefund:
        self._called(f"refund {refund.efi_id}")
        if self.refusing_refunds is not None:
            raise self.refusing_refunds
        processing = ProviderRefund(state=RefundState.PROCESSING, return_id=f"D{refund.efi_id[:31]}")
        return self.refunds.setdefault(refund.efi_id, processing)

    async def find_refund(self, refund: Refund) -> ProviderRefund | None:
        self._called(f"find refund {refund.efi_id}")
        return self.refunds.get(refund.efi_id)

    async def movements(self, *, start: datetime, end: datetime) -> AsyncIterator[Movement]:
        self._called("movements")
        for movement in self.moved:
            yield movement

    async def request_report(self, day: date) -> str:
        self._called(f"request report {day}")
        if day.isoformat() not in self.reports:
            raise ProviderRefused("insufficient_scope")
        return day.isoformat()

    async def report(self, name: str) -> Sequence[Movement] | None:
        self._called(f"report {name}")
        return self.reports[name]

    async def balance(self) -> Decimal:
        self._called("balance")
        return self.held

    def _with_devolutions(self, received: Received) -> Received:
        return replace(received, devolutions=tuple(self.outside.get(received.e2e_id, ())))

    def _called(self, call: str) -> None:
        self.calls.append(call)
        if self.failing is not None:
            raise self.failing


class FakeDeps:
    """Deps over one FakeTx and one FakeBank; time stands still until `advance`."""

    def __init__(self) -> None:
        self.tx = FakeTx()
        self.provider = FakeBank()
        self.policy = POLICY
        self._now = NOW

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[FakeTx]:
        yield self.tx

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
