"""Books in memory, for unit tests: the same domain, no database."""

import itertools
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from ledger_books import NOW

from contracts.base import Fact
from contracts.payment import StatementLine
from kernel.ids import new_id
from kernel.money import ZERO
from ledger.domain.book import Book
from ledger.domain.chart import BANK
from ledger.domain.driver_balance import DriverBalance
from ledger.domain.earnings import Earnings
from ledger.domain.instruction import Instruction, first_of_each
from ledger.domain.journal import Journal
from ledger.domain.period import Periods
from ledger.domain.seal import Seal, SealedEntry, SealedJournal
from ledger.domain.statement import EVENTS_OF_KIND
from ledger.ports import Case


class FakeBooks:
    """What a database of the ledger holds; `post` does what the open book does."""

    def __init__(self) -> None:
        self.journals: list[Journal] = []
        self.balances: dict[UUID, DriverBalance] = {}
        self.events: dict[str, Instruction] = {}
        self.kept: dict[tuple[str, UUID], Decimal] = {}
        self._entry_ids = itertools.count(1)

    def post(self, *instructions: Instruction, now: datetime = NOW) -> list[Fact]:
        """Apply the new ones as one batch; what is published."""
        fresh = []
        for instruction in first_of_each(instructions):
            known = self.events.get(instruction.external_id)
            if known is None:
                fresh.append(instruction)
            else:
                instruction.check_same(event_type=known.event_type, amount=known.amount)
        book = self._open(fresh)
        for instruction in fresh:
            book.apply(instruction, now=now)
        self.events.update({instruction.external_id: instruction for instruction in fresh})
        self.journals += book.journals
        self.balances.update({balance.driver_id: balance for balance in book.changed_balances()})
        for pair, change in book.changes_by_account().items():
            self.kept[pair] = self.kept.get(pair, ZERO) + change
        facts = [fact for posted in book.posted for fact in book.facts_of(posted)]
        return [*facts, *(balance.fact() for balance in book.changed_balances())]

    def balance(self, driver_id: UUID) -> DriverBalance:
        return self.balances.get(driver_id, DriverBalance(driver_id=driver_id))

    def account(self, code: str) -> Decimal:
        """The balance on the account's normal side, added up from every line."""
        lines = (line for journal in self.journals for line in journal.draft.lines)
        return sum((line.change for line in lines if line.account_code == code), ZERO)

    def _open(self, fresh: Sequence[Instruction]) -> Book:
        drivers = {driver_id for instruction in fresh for driver_id in instruction.drivers}
        entities = {instruction.entity for instruction in fresh}
        return Book(
            balances={driver_id: self.balance(driver_id) for driver_id in drivers},
            history=[j for j in self.journals if (j.draft.entity_type, j.draft.entity_id) in entities],
            entry_ids=self._entry_ids,
            new_id=new_id,
        )


class FakeOpenBook:
    """Collects until `post`."""

    def __init__(self, tx: "FakeTx") -> None:
        self._tx = tx
        self.pending: list[tuple[Instruction, datetime]] = []

    def add(self, instruction: Instruction, *, now: datetime) -> None:
        self.pending.append((instruction, now))

    async def post(self) -> int:
        pending, self.pending = self.pending, []
        if not pending:
            return 0
        before = len(self._tx.books.events)
        self._tx.published += self._tx.books.post(*(i for i, _ in pending), now=pending[-1][1])
        return len(self._tx.books.events) - before


class FakeBalances:
    def __init__(self, books: FakeBooks) -> None:
        self._books = books
        self.folds = 0

    async def of_driver(self, driver_id: UUID) -> DriverBalance:
        return self._books.balance(driver_id)

    async def of_account(self, code: str) -> Decimal:
        return self._books.account(code)

    async def all_accounts(self) -> dict[str, Decimal]:
        codes = {line.account_code for j in self._books.journals for line in j.draft.lines}
        return {code: self._books.account(code) for code in codes}

    async def fold(self, *, now: datetime) -> int:
        self.folds += 1
        return self.folds


class FakeJournals:
    def __init__(self, books: FakeBooks) -> None:
        self._books = books
        self.asked_periods: Periods | None = None
        self.asked_months: tuple[date, date] | None = None

    async def by_transaction(self, transaction_id: str) -> Journal | None:
        found = (j for j in self._books.journals if j.draft.transaction_id == transaction_id)
        return next(found, None)

    async def earnings(self, driver_id: UUID, *, periods: Periods) -> Earnings:
        self.asked_periods = periods
        return Earnings()

    async def bank_movements(self, line: StatementLine) -> list[Decimal]:
        journals = [
            j
            for j in self._books.journals
            if j.draft.event_type in EVENTS_OF_KIND[line.kind] and j.draft.reference_number == line.e2e_id
        ]
        lines = (one for j in journals for one in j.draft.lines)
        return [one.change for one in lines if one.account_code == BANK]

    async def make_partitions(self, *, first: date, last: date) -> int:
        self.asked_months = (first, last)
        return 4


class FakeCases:
    def __init__(self) -> None:
        self.opened: dict[str, Case] = {}

    async def open(self, case: Case) -> bool:
        return self.opened.setdefault(case.external_id, case) is case


class FakeSeals:
    """Each journal's xid is its place in the list."""

    def __init__(self, books: FakeBooks) -> None:
        self._books = books
        self.chain: list[Seal] = []

    async def last(self) -> Seal | None:
        return self.chain[-1] if self.chain else None

    async def unsealed(self, *, limit: int) -> tuple[str, Sequence[SealedJournal]]:
        since = int(self.chain[-1].to_xid) if self.chain else 0
        until = min(since + limit, len(self._books.journals))
        return str(until), self._between(since, until)

    async def add(self, seal: Seal) -> None:
        self.chain.append(seal)

    async def after(self, seq: int, *, limit: int) -> list[Seal]:
        return [seal for seal in self.chain if seal.seq > seq][:limit]

    async def journals_of(self, seal: Seal) -> Sequence[SealedJournal]:
        return self._between(int(seal.from_xid), int(seal.to_xid))

    def _between(self, since: int, until: int) -> list[SealedJournal]:
        return [sealed(journal) for journal in self._books.journals[since:until]]


def sealed(journal: Journal) -> SealedJournal:
    """The journal as its seal sees it."""
    return SealedJournal(
        id=journal.id,
        transaction_id=journal.draft.transaction_id,
        event_type=journal.draft.event_type,
        entity_type=journal.draft.entity_type,
        entity_id=journal.draft.entity_id,
        reference_number=journal.draft.reference_number,
        transaction_date=journal.transaction_date,
        occurred_at=journal.occurred_at,
        entries=tuple(
            SealedEntry(
                id=entry.id,
                account_code=entry.line.account_code,
                entry_type=entry.line.entry_type.value,
                amount=entry.line.amount,
                driver_id=entry.line.driver_id,
                passenger_id=entry.line.passenger_id,
                reversal_entry_id=entry.line.reverses,
            )
            for entry in journal.entries
        ),
    )


class FakeTx:
    """A transaction on books in memory."""

    def __init__(self) -> None:
        self.books = FakeBooks()
        self.book = FakeOpenBook(self)
        self.balances = FakeBalances(self.books)
        self.journals = FakeJournals(self.books)
        self.cases = FakeCases()
        self.seals = FakeSeals(self.books)
        self.published: list[Fact] = []

    async def publish(self, fact: Fact, *, version: int = 0) -> UUID:
        self.published.append(fact)
        return new_id()

    async def commit(self) -> None:
        """What `before_commit` does."""
        await self.book.post()
