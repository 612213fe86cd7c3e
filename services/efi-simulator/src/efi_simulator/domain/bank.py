"""The bank's books: everything the simulator knows, and the account's balance.

All functions over it are synchronous, so each is atomic on the one event loop that runs them.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from heapq import heappop, heappush
from typing import Any

from efi_simulator.domain.modes import Mode, SendMode
from efi_simulator.domain.nouns import Charge, Notice, NoticeKind, ReceivedPix, Refund, Return, Send, Webhook
from efi_simulator.domain.numbers import Numbers
from kernel.money import ZERO


class Overdrawn(AssertionError):
    """A move would take the balance below zero: the caller had to check first."""


class Due(StrEnum):
    """What happens later by itself."""

    AUTO_PAYMENT = "auto_payment"
    REFUND = "refund"
    SEND = "send"
    RETURN = "return"


@dataclass(slots=True, kw_only=True)
class Rules:
    """How this bank behaves. `settles_after`: from an accepted order to its result."""

    homologation: bool = False
    receive_fee: Decimal = ZERO
    send_fee: Decimal = ZERO
    settles_after: timedelta = timedelta(milliseconds=200)


@dataclass(slots=True, kw_only=True)
class Bank:
    """One account with one key. Refunds are keyed by (endToEndId, id), sends by idEnvio."""

    our_key: str
    opening_balance: Decimal
    numbers: Numbers
    rules: Rules = field(default_factory=Rules)
    charges: dict[str, Charge] = field(default_factory=dict)
    received: dict[str, ReceivedPix] = field(default_factory=dict)
    refunds: dict[tuple[str, str], Refund] = field(default_factory=dict)
    sends: dict[str, Send] = field(default_factory=dict)
    returns: list[Return] = field(default_factory=list)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    notices: deque[Notice] = field(default_factory=deque)
    send_mode: Mode[SendMode] = field(default_factory=lambda: Mode(SendMode))
    fees: Decimal = ZERO
    moved: Decimal = ZERO
    _agenda: list[tuple[datetime, int, Due, tuple[str, ...]]] = field(default_factory=list)

    @property
    def balance(self) -> Decimal:
        return self.opening_balance + self.moved

    def move(self, amount: Decimal, *, fee: Decimal = ZERO) -> None:
        """Credit (or, below zero, debit) the account and take the fee, at once or not at all."""
        if self.balance + amount - fee < ZERO:
            raise Overdrawn(f"{self.balance} does not cover {amount} and {fee}")
        self.moved += amount - fee
        self.fees += fee

    def later(self, due: Due, *ids: str, now: datetime) -> None:
        """Put something on the agenda; equal times keep their order."""
        heappush(self._agenda, (now + self.rules.settles_after, self.numbers.next(), due, ids))

    def next_due_at(self) -> datetime | None:
        return self._agenda[0][0] if self._agenda else None

    def take_due(self, now: datetime) -> tuple[Due, tuple[str, ...]] | None:
        """The next thing that is due, off the agenda."""
        if not self._agenda or self._agenda[0][0] > now:
            return None
        _, _, due, ids = heappop(self._agenda)
        return due, ids

    def tell(self, kind: NoticeKind, item: Mapping[str, Any]) -> None:
        """Leave a notice for our key's webhook; without one nobody is told."""
        if self.our_key in self.webhooks:
            self.notices.append(Notice(key=self.our_key, kind=kind, item=item))

    def send_of(self, e2e_id: str) -> Send | None:
        """The send with this endToEndId."""
        return next((send for send in self.sends.values() if send.e2e_id == e2e_id), None)
