"""Reports, days, proposals, statements and cases in memory, on the same books as `ledger_fakes`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from contracts.ledger import EntryType
from contracts.payment import StatementClosed, StatementLine
from kernel.business_day import business_day, day_bounds
from kernel.money import ZERO
from ledger.domain.as_of import By, Moment, Turnover
from ledger.domain.bank_balance import BookedBalance, JudgedBalance, Span
from ledger.domain.bank_day import BankDay
from ledger.domain.cases import Case, CaseKind, CaseStatus
from ledger.domain.chart import BANK
from ledger.domain.closing import ClosedDay, DayState
from ledger.domain.driver_statement import DriverPosting, Money
from ledger.domain.financial_report import Movement
from ledger.domain.journal import Journal, Line
from ledger.domain.manual import MANUAL, Proposal, ProposalStatus
from ledger.domain.reversal import REVERSED
from ledger.domain.statement import EVENTS_OF_KIND, BankEntry, DaySums, ReceivedLine, reference_of

if TYPE_CHECKING:
    from ledger_fakes import FakeBooks


def _turnover(lines: Iterator[Line]) -> Turnover:
    sums = dict.fromkeys(EntryType, ZERO)
    for line in lines:
        sums[line.entry_type] += line.amount
    return Turnover(debits=sums[EntryType.DEBIT], credits=sums[EntryType.CREDIT])


class FakeReports:
    def __init__(self, books: FakeBooks) -> None:
        self._books = books

    async def movements(self, *, first: date, last: date) -> list[Movement]:
        by_id = {journal.id: journal for journal in self._books.journals}
        sums: defaultdict[tuple[date, str, str, EntryType, bool], list[Decimal]] = defaultdict(list)
        for journal in self._books.journals:
            if not first <= journal.transaction_date <= last:
                continue
            undone = journal.draft.event_type == REVERSED and journal.draft.reverses is not None
            event = by_id[journal.draft.reverses] if undone and journal.draft.reverses else journal
            for line in journal.draft.lines:
                key = (
                    journal.transaction_date,
                    line.account_code,
                    event.draft.event_type,
                    line.entry_type,
                    undone,
                )
                sums[key].append(line.amount)
        return [
            Movement(
                day=day,
                code=code,
                event_type=event,
                side=side,
                undone=undone,
                amount=sum(parts, ZERO),
                entries=len(parts),
            )
            for (day, code, event, side, undone), parts in sums.items()
        ]

    async def driver_postings(self, driver_id: UUID, *, first: date, last: date) -> list[DriverPosting]:
        return [
            _posting(journal, driver_id)
            for journal in self._books.journals
            if driver_id in journal.draft.drivers and first <= journal.transaction_date <= last
        ]


def _posting(journal: Journal, driver_id: UUID) -> DriverPosting:
    moved: Counter[str] = Counter()
    for line in journal.draft.lines:
        if line.driver_id == driver_id:
            moved[line.account_code] += line.change  # type: ignore[assignment]
    return DriverPosting(
        journal_id=journal.id,
        transaction_id=journal.draft.transaction_id,
        event_type=journal.draft.event_type,
        description=journal.draft.description,
        reference=journal.draft.reference_number,
        posted_on=journal.transaction_date,
        occurred_at=journal.occurred_at,
        posted_at=journal.posted_at,
        change=Money(
            available=ZERO + moved["2100"], on_hold=ZERO + moved["2150"], receivable=ZERO + moved["1350"]
        ),
    )


class FakeDays:
    """Snapshots are days only: what they hold is always added up anew."""

    def __init__(self, books: FakeBooks) -> None:
        self._books = books
        self.taken: list[date] = []
        self.broken: set[date] = set()
        self.closings: list[ClosedDay] = []
        self.states: dict[date, DayState] = {}

    async def turnovers(self, moment: Moment) -> Mapping[str, Turnover]:
        codes = {line.account_code for line in self._lines(moment)}
        return {code: await self.turnover(code, owner_id=None, moment=moment) for code in codes}

    async def turnover(self, code: str, *, owner_id: UUID | None, moment: Moment) -> Turnover:
        lines = (line for line in self._lines(moment) if line.account_code == code)
        return _turnover(line for line in lines if owner_id in (None, line.owner_id))

    def _lines(self, moment: Moment) -> Iterator[Line]:
        for journal in self._books.journals:
            at = journal.occurred_at if moment.by is By.OCCURRED else journal.posted_at
            if at <= moment.at:
                yield from journal.draft.lines

    async def lock(self) -> None:
        """Nobody else is here."""

    async def next_day(self) -> date | None:
        if self.taken:
            return self.taken[-1] + timedelta(days=1)
        return min((journal.transaction_date for journal in self._books.journals), default=None)

    async def first_day(self) -> date | None:
        return self.taken[0] if self.taken else None

    async def last_day(self) -> date | None:
        return self.taken[-1] if self.taken else None

    async def take(self, day: date, *, now: datetime) -> int:
        self.taken.append(day)
        return 0

    async def differing(self, day: date) -> int:
        return int(day in self.broken)

    async def state(self, day: date) -> DayState:
        last = self.closings[-1].day if self.closings else None
        known = self.states.get(
            day, DayState(last_closed=None, statement_checked=True, bank_moved=True, open_cases=0)
        )
        return replace(known, last_closed=last)

    async def close(self, closed: ClosedDay) -> None:
        self.closings.append(closed)

    async def closed(self, *, before: date | None, limit: int) -> list[ClosedDay]:
        found = [closed for closed in reversed(self.closings) if before is None or closed.day < before]
        return found[:limit]


class FakeManualJournals:
    def __init__(self) -> None:
        self.proposals: dict[UUID, Proposal] = {}

    async def add(self, proposal: Proposal) -> None:
        self.proposals[proposal.id] = proposal

    async def get(self, proposal_id: UUID, *, lock: bool = False) -> Proposal | None:
        return self.proposals.get(proposal_id)

    async def decide(self, proposal: Proposal) -> None:
        self.proposals[proposal.id] = proposal

    async def page(
        self, *, status: ProposalStatus | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[Proposal]:
        return [p for p in self.proposals.values() if status in (None, p.status)][:limit]


class FakeCases:
    def __init__(self) -> None:
        self.opened: dict[str, Case] = {}

    async def open(self, case: Case) -> bool:
        return self.opened.setdefault(case.external_id, case) is case

    async def get(self, case_id: UUID, *, lock: bool = False) -> Case | None:
        return next((case for case in self.opened.values() if case.id == case_id), None)

    async def resolve(self, case: Case) -> None:
        self.opened[case.external_id] = case

    async def page(
        self,
        *,
        status: CaseStatus | None,
        kind: CaseKind | None,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[Case]:
        found = [c for c in self.opened.values() if status in (None, c.status) and kind in (None, c.kind)]
        return found[:limit]

    async def open_by_kind(self) -> Mapping[CaseKind, int]:
        return Counter(case.kind for case in self.opened.values() if case.status is CaseStatus.OPEN)


class FakeBankStatements:
    """What `day` and `days` report is not told here: the database adds it up."""

    def __init__(self, books: FakeBooks, cases: FakeCases) -> None:
        self._books = books
        self._cases = cases
        self.lines: dict[str, ReceivedLine] = {}
        self.matches: dict[int, str] = {}
        self.closed: dict[str, tuple[StatementClosed, datetime]] = {}
        self.checked_days: set[date] = set()
        self.gaps: dict[date, Span] = {}

    async def lock(self) -> None:
        """Nobody else is here."""

    async def keep_line(self, line: StatementLine, *, now: datetime) -> StatementLine:
        return self.lines.setdefault(line.line_id, ReceivedLine(line=line, received_at=now)).line

    async def candidates(self, line: StatementLine) -> list[BankEntry]:
        return [
            entry
            for journal, entry in self._bank()
            if entry.id not in self.matches
            and journal.draft.event_type in EVENTS_OF_KIND[line.kind]
            and (
                journal.draft.reference_number == line.e2e_id
                or (
                    journal.draft.event_type == MANUAL
                    and journal.draft.reference_number == reference_of(line)
                )
            )
        ]

    def _bank(self) -> Iterator[tuple[Journal, BankEntry]]:
        for journal in self._books.journals:
            for entry in journal.entries:
                if entry.line.account_code == BANK:
                    yield (
                        journal,
                        BankEntry(
                            id=entry.id,
                            journal_id=journal.id,
                            transaction_id=journal.draft.transaction_id,
                            event_type=journal.draft.event_type,
                            amount=entry.line.change,
                            occurred_at=journal.occurred_at,
                            reverses=entry.line.reverses,
                        ),
                    )

    async def match(self, line: StatementLine, entries: Sequence[BankEntry], *, now: datetime) -> None:
        for entry in entries:
            assert self.matches.setdefault(entry.id, line.line_id) == line.line_id

    async def matched(self, line_id: str) -> bool:
        return line_id in self.matches.values()

    async def unmatched_lines(self, *, day: date | None = None) -> list[ReceivedLine]:
        told = {case.line_id for case in self._cases.opened.values()}
        done = told | set(self.matches.values())
        lines = [kept for line_id, kept in self.lines.items() if line_id not in done]
        return [kept for kept in lines if day is None or kept.line.day == day.isoformat()]

    async def keep_closed(self, closed: StatementClosed, *, now: datetime) -> None:
        known = self.closed.get(closed.day)
        if known is None or known[0].closed_at < closed.closed_at:
            self.closed[closed.day] = (closed, now)
            self.gaps.pop(date.fromisoformat(closed.day), None)
            self.checked_days.discard(date.fromisoformat(closed.day))

    async def due(self, *, received_before: datetime) -> list[StatementClosed]:
        waiting = [c for c, at in self.closed.values() if at <= received_before]
        days = [(closed, date.fromisoformat(closed.day)) for closed in waiting]
        return [
            closed
            for closed, day in days
            if day not in self.checked_days and closed.closed_at >= day_bounds(day)[1] + timedelta(minutes=30)
        ]

    async def entries_alone(self, day: date) -> list[BankEntry]:
        entries = (entry for _, entry in self._bank() if business_day(entry.occurred_at) == day)
        return [entry for entry in entries if entry.id not in self.matches]

    async def contested(self, day: date) -> Collection[int]:
        lines = [
            self.lines[case.line_id].line
            for case in self._cases.opened.values()
            if case.day == day and case.line_id and case.kind is CaseKind.AMOUNT_DIFFERS
        ]
        return {entry.id for line in lines for entry in await self.candidates(line)}

    async def sums(self, closed: StatementClosed) -> DaySums:
        day = date.fromisoformat(closed.day)
        lines = [kept.line for kept in self.lines.values() if kept.line.day == closed.day]
        entries = [entry for _, entry in self._bank()]
        todays = [entry for entry in entries if business_day(entry.occurred_at) == day]
        names = {line.line_id for line in lines}
        matched = set(self.matches.values())
        return DaySums(
            lines=len(lines),
            lines_total=sum((line.amount for line in lines), ZERO),
            booked=sum((e.amount for e in todays), ZERO),
            entries_alone=sum((e.amount for e in todays if e.id not in self.matches), ZERO),
            lines_alone=sum((line.amount for line in lines if line.line_id not in matched), ZERO),
            shifted=sum((e.amount for e in todays if self.matches.get(e.id, "") not in names | {""}), ZERO)
            - sum((e.amount for e in entries if self.matches.get(e.id) in names and e not in todays), ZERO),
        )

    async def checked(self, day: date, *, now: datetime) -> None:
        self.checked_days.add(day)

    async def balances_due(self, *, received_before: datetime) -> list[StatementClosed]:
        return [
            closed
            for day, (closed, at) in sorted(self.closed.items())
            if at <= received_before
            and closed.balance is not None
            and date.fromisoformat(day) in self.checked_days - set(self.gaps)
        ]

    async def booked_balance(self, closed: StatementClosed, *, flight_s: float) -> BookedBalance:
        entries = [(entry, entry.occurred_at <= closed.closed_at) for _, entry in self._bank()]
        around = [
            -entry.amount if before else entry.amount
            for entry, before in entries
            if abs(entry.occurred_at - closed.closed_at) <= timedelta(seconds=flight_s)
        ]
        flight = Span(
            low=sum((one for one in around if one < 0), ZERO),
            high=sum((one for one in around if one > 0), ZERO),
        )
        return BookedBalance(
            amount=sum((entry.amount for entry, before in entries if before), ZERO), flight=flight
        )

    async def judged_before(self, day: date) -> list[JudgedBalance]:
        return [JudgedBalance(gap=gap) for known, gap in sorted(self.gaps.items()) if known < day]

    async def judge(self, day: date, *, apart: Decimal, gap: Span) -> None:
        self.gaps[day] = gap

    async def days(self, *, before: date | None, limit: int) -> list[BankDay]:
        return []

    async def day(self, day: date) -> BankDay | None:
        return None
