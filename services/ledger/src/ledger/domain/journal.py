"""A journal: the smallest set of entries that moves money and sums to zero.

Named tuples, because a batch makes tens of thousands of them a second, at a third of a dataclass's cost.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from contracts.ledger import EntryType, JournalLine, LedgerPosted
from kernel.money import CENTAVO, LIMIT, ZERO, NotMoney, money
from kernel.refusals import Invalid
from ledger.domain.chart import NORMAL_SIDE, OWNER, OwnerKind, detail_account

# Looking a member up in its class costs as much as making a line.
DEBIT: Final = EntryType.DEBIT
CREDIT: Final = EntryType.CREDIT
OPPOSITE: Final = {DEBIT: CREDIT, CREDIT: DEBIT}


class InvalidJournal(Invalid):
    """A journal that double entry does not allow."""

    code = "invalid_journal"
    pt = "Lançamento contábil inválido."
    en = "Invalid journal."


class UnbalancedJournal(InvalidJournal):
    """Debits and credits differ."""

    code = "unbalanced_journal"
    pt = "Débitos e créditos não fecham."
    en = "Debits and credits differ."


class Line(NamedTuple):
    """One side of a journal. `reverses` is the id of the entry that this one undoes, whole or in part."""

    account_code: str
    entry_type: EntryType
    amount: Decimal
    driver_id: UUID | None = None
    passenger_id: UUID | None = None
    reverses: int | None = None

    @property
    def owner_id(self) -> UUID | None:
        """Whose sub-balance this line moves, if the account keeps any."""
        owner = OWNER[self.account_code]
        if owner is None:
            return None
        return self.driver_id if owner is OwnerKind.DRIVER else self.passenger_id

    @property
    def moves_driver(self) -> bool:
        """Whether this line moves a driver's sub-balance."""
        return OWNER[self.account_code] is OwnerKind.DRIVER

    @property
    def change(self) -> Decimal:
        """What this line adds to the balance of its account, on that account's normal side."""
        return self.amount if self.entry_type is NORMAL_SIDE[self.account_code] else -self.amount


def debit(
    account_code: str,
    amount: Decimal,
    *,
    driver_id: UUID | None = None,
    passenger_id: UUID | None = None,
    reverses: int | None = None,
) -> Line:
    """A debit of `amount`."""
    return Line(account_code, DEBIT, amount, driver_id, passenger_id, reverses)


def credit(
    account_code: str,
    amount: Decimal,
    *,
    driver_id: UUID | None = None,
    passenger_id: UUID | None = None,
    reverses: int | None = None,
) -> Line:
    """A credit of `amount`."""
    return Line(account_code, CREDIT, amount, driver_id, passenger_id, reverses)


def without_zeros(*lines: Line) -> tuple[Line, ...]:
    """The lines that move money: a commission of nothing posts nothing."""
    return tuple([line for line in lines if line.amount != ZERO])


def validate_double_entry(lines: Sequence[Line]) -> None:
    """Positive exact amounts, owners named, both sides there and equal; else InvalidJournal."""
    debited = credited = ZERO
    for line in lines:
        _validate_line(line)
        if line.entry_type is DEBIT:
            debited += line.amount
        else:
            credited += line.amount
    if debited != credited:
        raise UnbalancedJournal(f"debits {debited}, credits {credited}")
    if not lines:
        raise InvalidJournal("a journal has at least two lines")


def _validate_line(line: Line) -> None:
    amount, code = line.amount, line.account_code
    # Nearly all amounts have two places already, and then this is all that `money` would find out.
    if not (type(amount) is Decimal and amount.same_quantum(CENTAVO) and ZERO < amount < LIMIT):
        _validate_amount(amount)
    if code not in OWNER:
        detail_account(code)
    if OWNER[code] is not None and line.owner_id is None:
        raise InvalidJournal(f"an entry on {code} names its owner")


def _validate_amount(amount: Decimal) -> None:
    try:
        exact = money(amount)
    except NotMoney as error:
        raise InvalidJournal(str(error)) from error
    if exact <= ZERO:
        raise InvalidJournal(f"an entry's amount is positive: {amount}")


def debit_total(lines: Sequence[Line]) -> Decimal:
    """What the lines move: the sum of the debits."""
    return sum([line.amount for line in lines if line.entry_type is DEBIT], ZERO)


class Draft(NamedTuple):
    """A journal before it is posted. `reverses` is the id of the journal that this one undoes in full."""

    transaction_id: str
    event_type: str
    entity_type: str
    entity_id: str
    description: str
    lines: tuple[Line, ...]
    reference_number: str | None = None
    driver_id: UUID | None = None
    reverses: UUID | None = None

    @property
    def drivers(self) -> frozenset[UUID]:
        """The drivers whose sub-balances the lines move."""
        return frozenset([line.driver_id for line in self.lines if line.driver_id and line.moves_driver])


class Entry(NamedTuple):
    """A posted line and its id."""

    id: int
    line: Line


class Journal(NamedTuple):
    """A posted journal. `transaction_date` is the São Paulo day of posting."""

    id: UUID
    draft: Draft
    entries: tuple[Entry, ...]
    occurred_at: datetime
    posted_at: datetime
    transaction_date: date

    @property
    def total(self) -> Decimal:
        """What it moves, by what accounts gain on the debit side: nothing for what only passes through one."""
        gained: defaultdict[tuple[str, UUID | None], Decimal] = defaultdict(lambda: ZERO)
        for line in self.draft.lines:
            sign = 1 if line.entry_type is DEBIT else -1
            gained[line.account_code, line.owner_id] += sign * line.amount
        return sum([amount for amount in gained.values() if amount > ZERO], ZERO)

    def entry(self, account_code: str, entry_type: EntryType) -> Entry:
        """The only entry on that side of that account; InvalidJournal when there is none."""
        for entry in self.entries:
            if entry.line.account_code == account_code and entry.line.entry_type is entry_type:
                return entry
        raise InvalidJournal(f"{self.draft.transaction_id} has no {entry_type} on {account_code}")

    def amount_on(self, account_code: str) -> Decimal:
        """Debits plus credits on that account: zero when the journal does not touch it."""
        return sum((e.line.amount for e in self.entries if e.line.account_code == account_code), ZERO)

    def fact(self) -> LedgerPosted:
        """What the rest of the system hears of it. Not validated again: its parts are typed and checked."""
        draft = self.draft
        return LedgerPosted.model_construct(
            journal_id=self.id,
            driver_id=draft.driver_id,
            transaction_id=draft.transaction_id,
            event_type=draft.event_type,
            entity_type=draft.entity_type,
            entity_id=draft.entity_id,
            reference_number=draft.reference_number,
            lines=tuple(_fact_line(line) for line in draft.lines),
            posted_at=self.posted_at,
        )


def _fact_line(line: Line) -> JournalLine:
    return JournalLine.model_construct(
        account_code=line.account_code,
        entry_type=line.entry_type,
        amount=line.amount,
        driver_id=line.driver_id,
        passenger_id=line.passenger_id,
    )
