"""An instruction to the books: what happened, and the rule that turns it into journals."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from kernel.refusals import Refusal
from ledger.domain.chart import BANK
from ledger.domain.driver_balance import DriverBalance
from ledger.domain.journal import Draft, Journal


class EntityType(StrEnum):
    """What a journal is about."""

    PAYMENT = "PAYMENT"
    PAYOUT = "PAYOUT"
    PIX = "PIX"
    MANUAL = "MANUAL"


class Posting(Enum):
    """Whether an instruction records what has happened anyway, or decides over what a driver has.

    A recording rule looks at a driver's debt and at nothing else of their balance.
    """

    RECORDING = auto()
    AUTHORISING = auto()


class Contradiction(Refusal):
    """The event does not fit what is already posted: someone must look before anything is posted."""

    code = "contradicts_the_books"
    pt = "O evento contradiz o que já foi lançado."
    en = "The event contradicts what is already posted."


class DuplicateDiffers(Contradiction):
    """The same external id was posted before with another meaning."""

    code = "duplicate_differs"


class HoldDecision(NamedTuple):
    """What became of a payout's hold; `reason` is None when the amount is held."""

    driver_id: UUID
    payout_id: UUID
    amount: Decimal
    available: Decimal
    reason: str | None = None


class Outcome(NamedTuple):
    """What a rule decided: journals to post, and the decision about a hold if it was one."""

    drafts: tuple[Draft, ...] = ()
    decision: HoldDecision | None = None
    reason: str | None = None


class Context(NamedTuple):
    """What a rule may look at: the driver's balance now and the journals already posted about the entity."""

    balance: DriverBalance | None = None
    history: tuple[Journal, ...] = ()

    def driver(self) -> DriverBalance:
        """The balance of the instruction's driver."""
        assert self.balance is not None, "the instruction names no driver"
        return self.balance

    def find(self, transaction_id: str) -> Journal | None:
        """The journal of that transaction, if it is posted."""
        return next((j for j in self.history if j.draft.transaction_id == transaction_id), None)

    def get(self, transaction_id: str) -> Journal:
        """The journal of that transaction; Contradiction when it is not posted."""
        found = self.find(transaction_id)
        if found is None:
            raise Contradiction(f"{transaction_id} is not posted")
        return found

    def reversed(self, journal: Journal) -> bool:
        """Whether another journal undid it in full."""
        return any(j.draft.reverses == journal.id for j in self.history)

    def bank_total(self, event_type: str) -> Decimal:
        """What the journals of that event moved through the bank account."""
        moved = (j.amount_on(BANK) for j in self.history if j.draft.event_type == event_type)
        return sum(moved, Decimal("0.00"))


Rule = Callable[[Context], Outcome]


class Instruction(NamedTuple):
    """One event for the books. `external_id` makes it count once.

    `driver_id` is whose balance the rule looks at; `other_drivers` are those whose balances it may move too;
    `entries_max` is the most entries that the rule can make; `posting` says whether the balances must be locked
    before the rule looks at them.
    """

    external_id: str
    event_type: str
    entity_type: str
    entity_id: str
    amount: Decimal
    occurred_at: datetime
    rule: Rule
    driver_id: UUID | None = None
    other_drivers: frozenset[UUID] = frozenset()
    ride_id: UUID | None = None
    payment_id: UUID | None = None
    metadata: Mapping[str, str] = MappingProxyType({})
    entries_max: int = 16
    posting: Posting = Posting.AUTHORISING

    @property
    def entity(self) -> tuple[str, str]:
        return (self.entity_type, self.entity_id)

    @property
    def drivers(self) -> frozenset[UUID]:
        """Every driver whose balance must be locked first."""
        return self.other_drivers | ({self.driver_id} if self.driver_id else frozenset())

    def check_same(self, *, event_type: str, amount: Decimal) -> None:
        """DuplicateDiffers unless a posted event of the same external id says the same."""
        if (event_type, amount) != (self.event_type, self.amount):
            raise DuplicateDiffers(self.external_id)


def first_of_each(instructions: Iterable[Instruction]) -> list[Instruction]:
    """The instructions without repeats of an external id; DuplicateDiffers when repeats disagree."""
    seen: dict[str, Instruction] = {}
    for instruction in instructions:
        first = seen.setdefault(instruction.external_id, instruction)
        instruction.check_same(event_type=first.event_type, amount=first.amount)
    return list(seen.values())
