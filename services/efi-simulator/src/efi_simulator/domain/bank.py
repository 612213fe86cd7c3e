"""The bank's books: everything the simulator knows, and the account's balance.

All functions over it are synchronous, so each is atomic on the one event loop that runs them.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import Any

from efi_simulator.domain.modes import Mode, RefundMode, SendMode
from efi_simulator.domain.nouns import (
    Charge,
    Notice,
    NoticeKind,
    ReceivedPix,
    Refund,
    Report,
    Return,
    Send,
    Webhook,
)
from efi_simulator.domain.numbers import Numbers
from efi_simulator.domain.shelf import Shelf
from kernel.money import ZERO


class Overdrawn(AssertionError):
    """A move would take the balance below zero: the caller had to check first."""


class Due(StrEnum):
    """What happens later by itself."""

    AUTO_PAYMENT = "auto_payment"
    REFUND = "refund"
    SEND = "send"
    RETURN = "return"
    CONTRADICTION = "contradiction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    at: datetime
    due: Due
    ids: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Rules:
    """How this bank behaves.

    `settles_after`: from an accepted order to its result; `report_after`: to a statement; `open_days`: whether
    a day that is not over has a statement; `blocked_*`: what of the balance a court or a fraud case (MED)
    keeps; `inactive_status`: HTTP's of `status_cobranca_invalido`, which the sources give as 400 and as 409.
    """

    homologation: bool = False
    receive_fee: Decimal = ZERO
    send_fee: Decimal = ZERO
    settles_after: timedelta = timedelta(milliseconds=200)
    report_after: timedelta = timedelta(milliseconds=200)
    open_days: bool = False
    blocked_by_court: Decimal = ZERO
    blocked_by_med: Decimal = ZERO
    blocked_documents: frozenset[str] = frozenset()
    missing_scopes: frozenset[str] = frozenset()
    inactive_status: int = 400

    @property
    def blocked(self) -> Decimal:
        return self.blocked_by_court + self.blocked_by_med


@dataclass(slots=True, kw_only=True)
class Bank:
    """One account with one key. Refunds are keyed by endToEndId and id with a slash between (`refund_key`),
    sends by idEnvio, returns by rtrId, undelivered notices and the agenda by number.

    `notices` are those that nobody carries yet; `undelivered` holds them until they have arrived.
    """

    our_key: str
    opening_balance: Decimal
    numbers: Numbers
    rules: Rules = field(default_factory=Rules)
    charges: Shelf[str, Charge] = field(default_factory=Shelf)
    received: Shelf[str, ReceivedPix] = field(default_factory=Shelf)
    refunds: Shelf[str, Refund] = field(default_factory=Shelf)
    sends: Shelf[str, Send] = field(default_factory=Shelf)
    returns: Shelf[str, Return] = field(default_factory=Shelf)
    webhooks: Shelf[str, Webhook] = field(default_factory=Shelf)
    reports: Shelf[str, Report] = field(default_factory=Shelf)
    undelivered: Shelf[str, Notice] = field(default_factory=Shelf)
    agenda: Shelf[str, Appointment] = field(default_factory=Shelf)
    notices: deque[Notice] = field(default_factory=deque)
    send_mode: Mode[SendMode] = field(default_factory=lambda: Mode(SendMode))
    refund_mode: Mode[RefundMode] = field(default_factory=lambda: Mode(RefundMode))
    fees: Decimal = ZERO
    moved: Decimal = ZERO
    _order: list[tuple[datetime, int]] = field(default_factory=list)
    _ids_by_e2e: dict[str, str] = field(default_factory=dict)

    @property
    def balance(self) -> Decimal:
        return self.opening_balance + self.moved

    @property
    def available(self) -> Decimal:
        """What of the balance may be sent or given back."""
        return self.balance - self.rules.blocked

    def move(self, amount: Decimal, *, fee: Decimal = ZERO) -> None:
        """Credit (or, below zero, debit) the account and take the fee, at once or not at all."""
        if self.balance + amount - fee < ZERO:
            raise Overdrawn(f"{self.balance} does not cover {amount} and {fee}")
        self.moved += amount - fee
        self.fees += fee

    def later(self, due: Due, *ids: str, now: datetime) -> None:
        """Put something on the agenda; equal times keep their order."""
        self._appoint(self.numbers.next(), Appointment(at=now + self.rules.settles_after, due=due, ids=ids))

    def next_due_at(self) -> datetime | None:
        return self._order[0][0] if self._order else None

    def take_due(self, now: datetime) -> Appointment | None:
        """The next thing that is due, off the agenda."""
        if not self._order or self._order[0][0] > now:
            return None
        _, number = heappop(self._order)
        appointment = self.agenda[str(number)]
        del self.agenda[str(number)]
        return appointment

    def tell(self, kind: NoticeKind, item: Mapping[str, Any], *, once: bool = False) -> None:
        """Leave a notice for our key's webhook; without one nobody is told."""
        if self.our_key not in self.webhooks:
            return
        number = self.numbers.next()
        notice = Notice(key=self.our_key, kind=kind, item=item, once=once, number=number)
        self.undelivered[str(number)] = notice
        self.notices.append(notice)

    def told(self, notice: Notice) -> None:
        """The notice arrived, or never will."""
        if str(notice.number) in self.undelivered:
            del self.undelivered[str(notice.number)]

    def keep_send(self, send: Send) -> Send:
        self.sends[send.id_envio] = send
        self._ids_by_e2e[send.e2e_id] = send.id_envio
        return send

    def send_of(self, e2e_id: str) -> Send | None:
        """The send with this endToEndId."""
        id_envio = self._ids_by_e2e.get(e2e_id)
        return None if id_envio is None else self.sends[id_envio]

    def resume(self) -> None:
        """After the shelves were filled from what was written down: everything goes on from there."""
        self.notices = deque(self.undelivered.values())
        self._ids_by_e2e = {send.e2e_id: send.id_envio for send in self.sends.values()}
        self._order = [(one.at, int(number)) for number, one in self.agenda.items()]
        heapify(self._order)

    def _appoint(self, number: int, appointment: Appointment) -> None:
        self.agenda[str(number)] = appointment
        heappush(self._order, (appointment.at, number))


def refund_key(e2e_id: str, refund_id: str) -> str:
    return f"{e2e_id}/{refund_id}"
