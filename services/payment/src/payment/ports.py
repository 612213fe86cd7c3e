"""What the verbs need from outside: repositories, the provider, one transaction."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from contracts.base import Fact
from payment.domain.charge import Charge
from payment.domain.intent import Intent
from payment.domain.policy import Policy
from payment.domain.provider import ProviderCharge, ProviderRefund
from payment.domain.received import Received, Source
from payment.domain.refund import Refund
from payment.domain.ride import Ride
from payment.domain.statement import Movement
from payment.domain.webhook import Outcome, WebhookEvent


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
    async def claim(
        self, received: Received, *, source: Source, intent_id: UUID | None, now: datetime
    ) -> bool:
        """Note the Pix; False when it was noted before, by whomever."""

    async def known(self, e2e_ids: Sequence[str]) -> frozenset[str]: ...

    async def swept_until(self) -> datetime | None:
        """Up to when Efí's list of received Pix was compared with ours."""

    async def sweep_to(self, until: datetime) -> None: ...


class WebhookEvents(Protocol):
    async def add(self, events: Sequence[WebhookEvent]) -> None: ...

    async def claim(self, *, now: datetime, until: datetime, limit: int) -> Sequence[WebhookEvent]: ...

    async def finish(self, event_ids: Sequence[UUID], *, outcome: Outcome, now: datetime) -> None: ...

    async def postpone(self, event_ids: Sequence[UUID], *, until: datetime) -> None: ...

    async def seen(self, e2e_id: str) -> bool:
        """Whether a webhook spoke of this Pix."""


class Refunds(Protocol):
    async def add(self, refund: Refund) -> None: ...

    async def lock(self, refund_id: UUID) -> Refund | None: ...

    async def save(self, refund: Refund) -> None: ...

    async def open_amount(self, intent_id: UUID) -> Decimal: ...

    async def claim_open(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Refund]: ...


class Statements(Protocol):
    async def published(self, day: date) -> bool: ...

    async def claim(self, day: date, *, lines: int, now: datetime) -> bool:
        """Note that the day's statement is published; False when it was before."""


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

    async def find_received(self, e2e_id: str) -> Received | None: ...

    def list_received(self, *, start: datetime, end: datetime) -> AsyncIterator[Received]: ...

    async def refund(self, refund: Refund) -> ProviderRefund: ...

    async def find_refund(self, refund: Refund) -> ProviderRefund | None:
        """None when Efí does not know the refund (yet)."""

    def movements(self, *, start: datetime, end: datetime) -> AsyncIterator[Movement]:
        """What moved on the account because of Pix received or sent from `start` to `end`."""

    async def webhook_url(self) -> str | None:
        """Where Efí reports for our key now."""

    async def register_webhook(self, url: str) -> None: ...


class Deps(Protocol):
    """What effects work with."""

    @property
    def transaction(self) -> Callable[[], AbstractAsyncContextManager[Tx]]: ...
    @property
    def provider(self) -> Provider: ...
    @property
    def policy(self) -> Policy: ...

    def now(self) -> datetime: ...
