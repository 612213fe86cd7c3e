"""What the verbs need from outside: repositories, the provider, one transaction."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from contracts.base import Fact
from payment.domain.booked import BookedPix
from payment.domain.charge import Charge
from payment.domain.claim import Rejection
from payment.domain.intent import Intent
from payment.domain.policy import Policy
from payment.domain.provider import ProviderCharge, ProviderRefund
from payment.domain.received import Received, Source
from payment.domain.refund import Refund
from payment.domain.ride import Ride
from payment.domain.statement import Movement
from payment.domain.webhook import Delivery, Outcome, WebhookEvent


class Rides(Protocol):
    async def get(self, ride_id: UUID) -> Ride | None: ...

    async def lock(self, ride_id: UUID) -> Ride | None:
        """The ride with its row locked: what serialises the opening of intents."""

    async def put(self, ride: Ride) -> None:
        """Insert or replace the projection; a COMPLETED ride never goes back."""


class Intents(Protocol):
    async def add(self, intent: Intent, charge: Charge) -> None: ...

    async def lock(self, intent_id: UUID) -> tuple[Intent, Charge] | None: ...

    async def lock_by_txid(self, txid: str) -> tuple[Intent, Charge] | None: ...

    async def get(self, intent_id: UUID) -> tuple[Intent, Charge] | None: ...

    async def latest_of(self, ride_id: UUID) -> tuple[Intent, Charge] | None:
        """The newest intent of a ride."""

    async def save(self, intent: Intent) -> None:
        """Write the intent unless someone wrote it since it was read."""

    async def save_charge(self, charge: Charge) -> None: ...

    async def claim_unsubmitted(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Charge]:
        """ACTIVE charges whose code is due from Efí, leased until `until`."""

    async def postpone(self, charge_id: UUID, *, until: datetime, failed: bool) -> None:
        """When Efí is asked next about this charge; a failure counts as an attempt."""

    async def attempts_of(self, charge_id: UUID) -> int: ...

    async def claim_overdue(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Charge]:
        """ACTIVE charges past their time, leased until `until`."""

    async def claim_stale(
        self, *, created_before: datetime, now: datetime, until: datetime, limit: int
    ) -> Sequence[Charge]:
        """ACTIVE submitted charges created before a time and not asked about lately, leased until `until`."""


class ReceivedPix(Protocol):
    async def claim(self, booked: BookedPix, *, source: Source, now: datetime) -> bool:
        """Note the Pix; False when it was noted before, by whomever."""

    async def get(self, e2e_id: str) -> BookedPix | None: ...

    async def lock(self, e2e_id: str) -> BookedPix | None:
        """The Pix with its row locked: what serialises its refunds. After the payment's row, never before."""

    async def of_ride(self, ride_id: UUID) -> Sequence[BookedPix]: ...

    async def known(self, e2e_ids: Sequence[str]) -> frozenset[str]: ...

    async def page(
        self, *, mismatch: bool, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[BookedPix]:
        """Newest first; `mismatch`: only those of which something is held."""

    async def swept_until(self) -> datetime | None:
        """Up to when Efí's list of received Pix was compared with ours."""

    async def sweep_to(self, until: datetime) -> None: ...


class WebhookEvents(Protocol):
    async def keep(self, delivery: Delivery) -> None: ...

    async def add(self, events: Sequence[WebhookEvent]) -> None: ...

    async def claim(self, *, now: datetime, until: datetime, limit: int) -> Sequence[WebhookEvent]: ...

    async def finish(self, event_ids: Sequence[UUID], *, outcome: Outcome, now: datetime) -> None: ...

    async def postpone(self, event_ids: Sequence[UUID], *, until: datetime) -> None: ...

    async def seen(self, e2e_id: str) -> bool:
        """Whether a webhook spoke of this Pix."""

    async def shred(self, *, now: datetime, limit: int) -> int:
        """Delete the sealed bodies whose time is over; answers how many."""


class Claims(Protocol):
    async def reject(self, rejection: Rejection, *, now: datetime) -> bool:
        """Note it; False when it was noted before."""


class Refunds(Protocol):
    async def add(self, refund: Refund) -> None: ...

    async def get(self, refund_id: UUID) -> Refund | None: ...

    async def lock(self, refund_id: UUID) -> Refund | None:
        """After the payment's row and the Pix's, never before."""

    async def save(self, refund: Refund) -> None: ...

    async def by_efi_id(self, e2e_id: str, efi_id: str) -> Sequence[Refund]: ...

    async def of_e2e(self, e2e_id: str) -> Sequence[Refund]: ...

    async def asked_for(self, e2e_ids: Sequence[str]) -> frozenset[str]:
        """Those of these Pix of which some refund was ever asked for."""

    async def of_payment(self, intent_id: UUID) -> Sequence[Refund]:
        """Those of its fare, oldest first."""

    async def open_amount(self, intent_id: UUID) -> Decimal:
        """What refunds under way will take of a payment's fare."""

    async def credit_given(self, e2e_id: str) -> Decimal:
        """What refunds took or will take of a Pix's held money."""

    async def credit_refunded(self, e2e_id: str) -> Decimal: ...

    async def oldest_open(self) -> datetime | None:
        """When the oldest refund was asked for that has not ended."""

    async def claim_open(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Refund]: ...

    async def postpone(self, refund_id: UUID, *, until: datetime) -> None:
        """When Efí is asked next about this refund."""


class Statements(Protocol):
    async def oldest(self) -> date | None:
        """The first day whose statement is published."""

    async def published_since(self, day: date) -> frozenset[date]:
        """The days from `day` on whose statements are published."""

    async def claim(self, day: date, *, lines: int, now: datetime) -> bool:
        """Note that the day's statement is published; False when it was before."""

    async def report_of(self, day: date) -> tuple[str, datetime] | None:
        """The name of the report that Efí was asked for, and when."""

    async def note_report(self, day: date, *, report_id: str, now: datetime) -> None: ...


class Tx(Protocol):
    """One transaction: state and facts commit together."""

    @property
    def rides(self) -> Rides: ...
    @property
    def intents(self) -> Intents: ...
    @property
    def received(self) -> ReceivedPix: ...
    @property
    def webhooks(self) -> WebhookEvents: ...
    @property
    def claims(self) -> Claims: ...
    @property
    def refunds(self) -> Refunds: ...
    @property
    def statements(self) -> Statements: ...

    async def publish(self, fact: Fact, *, version: int = 0) -> UUID: ...


class Provider(Protocol):
    """Efí, in our words. Every method may raise ProviderRefused or ProviderUnclear."""

    async def create_charge(self, charge: Charge, *, now: datetime) -> str:
        """Create (or adopt) the charge of this txid; answers the copia e cola."""

    async def find_charge(self, txid: str) -> ProviderCharge: ...

    async def remove_charge(self, txid: str) -> ProviderCharge:
        """Ask for its removal and answer its state after that: REMOVED, or PAID when the money was faster."""

    async def find_received(self, e2e_id: str) -> Received | None:
        """None when Efí does not know it (yet). It may be another key's: `ours` says so."""

    def list_received(self, *, start: datetime, end: datetime) -> AsyncIterator[Received]:
        """Those of our key only."""

    async def refund(self, refund: Refund) -> ProviderRefund: ...

    async def find_refund(self, refund: Refund) -> ProviderRefund | None:
        """None when Efí does not know the refund (yet)."""

    def movements(self, *, start: datetime, end: datetime) -> AsyncIterator[Movement]:
        """What moved on the account because of Pix received or sent from `start` to `end`."""

    async def request_report(self, day: date) -> str:
        """Have Efí make its report of a day that is over; answers the report's name."""

    async def report(self, name: str) -> Sequence[Movement] | None:
        """The report's movements; None while Efí still makes it."""

    async def balance(self) -> Decimal:
        """What the account holds now."""

    async def webhook_url(self) -> str | None:
        """Where Efí reports for our key now."""

    async def register_webhook(self, url: str) -> None: ...


class Vault(Protocol):
    """Seals what may not lie about in the clear."""

    def seal(self, body: bytes) -> bytes: ...

    def open(self, sealed: bytes) -> bytes: ...


class Deps(Protocol):
    """What effects work with."""

    @property
    def transaction(self) -> Callable[[], AbstractAsyncContextManager[Tx]]: ...
    @property
    def provider(self) -> Provider: ...
    @property
    def policy(self) -> Policy: ...

    def now(self) -> datetime: ...
