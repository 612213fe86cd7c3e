"""Books in memory, for unit tests: the same domain, no database."""

import itertools
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from ledger_books import NOW
from ledger_office_fakes import FakeBankStatements, FakeCases, FakeDays, FakeManualJournals, FakeReports

from contracts.base import Fact
from kernel.ids import new_id
from kernel.money import ZERO
from ledger.domain.book import Book
from ledger.domain.driver_balance import DriverBalance
from ledger.domain.earnings import Earnings
from ledger.domain.instruction import Instruction, first_of_each
from ledger.domain.journal import Journal
from ledger.domain.period import Periods
from ledger.domain.seal import Seal, SealedJournal, next_seal, sealed


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
        facts: list[Fact] = []
        for posted in book.posted:
            facts += [*(journal.fact() for journal in posted.journals), *book.decisions_of(posted)]
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
        self.wrong: list[str] = []

    async def of_driver(self, driver_id: UUID) -> DriverBalance:
        return self._books.balance(driver_id)

    async def of_account(self, code: str) -> Decimal:
        return self._books.account(code)

    async def all_accounts(self) -> dict[str, Decimal]:
        codes = {line.account_code for j in self._books.journals for line in j.draft.lines}
        return {code: self._books.account(code) for code in codes}

    async def entries_difference(self) -> Decimal:
        entries = (entry for journal in self._books.journals for entry in journal.entries)
        return sum((e.line.amount if e.line.entry_type == "DEBIT" else -e.line.amount for e in entries), ZERO)

    async def wrong_accounts(self) -> list[str]:
        return self.wrong

    async def fold(self, *, now: datetime) -> int:
        self.folds += 1
        return self.folds


class FakeJournals:
    def __init__(self, books: FakeBooks) -> None:
        self._books = books
        self.asked_periods: Periods | None = None
        self.asked_months: tuple[date, date] | None = None
        self.locked: list[tuple[str, str]] = []

    async def by_transaction(self, transaction_id: str) -> Journal | None:
        found = (j for j in self._books.journals if j.draft.transaction_id == transaction_id)
        return next(found, None)

    async def earnings(self, driver_id: UUID, *, periods: Periods) -> Earnings:
        self.asked_periods = periods
        return Earnings()

    async def find(self, name: str) -> Journal | None:
        found = (j for j in self._books.journals if name in (str(j.id), j.draft.transaction_id))
        return next(found, None)

    async def lock_entity(self, entity_type: str, entity_id: str) -> None:
        self.locked.append((entity_type, entity_id))

    async def make_partitions(self, *, first: date, last: date) -> int:
        self.asked_months = (first, last)
        return 4


class FakeSeals:
    """Each `link` seals what was posted since the last one."""

    def __init__(self, books: FakeBooks) -> None:
        self._books = books
        self.chain: list[Seal] = []
        self.anchored = 0

    def link(self) -> Seal:
        last = self.chain[-1] if self.chain else None
        batch = last.batch + 1 if last else 1
        journals = [sealed(journal) for journal in self._books.journals[last.journals if last else 0 :]]
        self.chain.append(next_seal(last, batch=batch, journals=journals, sealed_at=NOW))
        return self.chain[-1]

    async def to_anchor(self) -> Seal | None:
        newest = self.chain[-1] if self.chain else None
        if newest is None or newest.seq == self.anchored:
            return None
        self.anchored = newest.seq
        return newest

    async def after(self, seq: int, *, limit: int) -> list[Seal]:
        return [seal for seal in self.chain if seal.seq > seq][:limit]

    async def journals_of(self, seal: Seal) -> list[SealedJournal]:
        first = seal.journals - seal.journal_count
        return [sealed(journal) for journal in self._books.journals[first : seal.journals]]

    async def head(self) -> int:
        return self.chain[-1].seq if self.chain else 0

    async def stray(self) -> tuple[int, int]:
        newest = self.chain[-1] if self.chain else None
        entries = sum(len(journal.entries) for journal in self._books.journals)
        journals = len(self._books.journals)
        return journals - (newest.journals if newest else 0), entries - (newest.entries if newest else 0)


class FakeTx:
    """A transaction on books in memory."""

    def __init__(self) -> None:
        self.books = FakeBooks()
        self.book = FakeOpenBook(self)
        self.balances = FakeBalances(self.books)
        self.journals = FakeJournals(self.books)
        self.cases = FakeCases()
        self.reports = FakeReports(self.books)
        self.days = FakeDays(self.books)
        self.manual_journals = FakeManualJournals()
        self.bank_statements = FakeBankStatements(self.books, self.cases)
        self.seals = FakeSeals(self.books)
        self.published: list[Fact] = []
        self.forgotten_before: datetime | None = None

    async def at_one_moment(self) -> None:
        """Everything in memory is."""

    async def forget_answers(self, *, before: datetime) -> None:
        self.forgotten_before = before

    async def publish(self, fact: Fact, *, version: int = 0) -> UUID:
        self.published.append(fact)
        return new_id()

    async def commit(self) -> None:
        """What `before_commit` does."""
        await self.book.post()
