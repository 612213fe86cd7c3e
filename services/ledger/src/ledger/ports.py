"""What the verbs need of the world: the open book, balances, journals, days, statements, cases, seals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from contracts.base import Fact
from contracts.payment import StatementClosed, StatementLine
from ledger.domain.as_of import Moment, Turnover
from ledger.domain.bank_balance import BookedBalance, JudgedBalance, Span
from ledger.domain.bank_day import BankDay
from ledger.domain.cases import Case, CaseKind, CaseStatus
from ledger.domain.closing import ClosedDay, DayState
from ledger.domain.driver_balance import DriverBalance
from ledger.domain.driver_statement import DriverPosting
from ledger.domain.earnings import Earnings
from ledger.domain.financial_report import Movement
from ledger.domain.instruction import Instruction
from ledger.domain.journal import Journal
from ledger.domain.manual import Proposal, ProposalStatus
from ledger.domain.period import Periods
from ledger.domain.seal import Seal, SealedJournal
from ledger.domain.statement import BankEntry, DaySums, ReceivedLine


class OpenBook(Protocol):
    """The instructions of this transaction, posted together, in order, before it commits."""

    def add(self, instruction: Instruction, *, now: datetime) -> None:
        """Post `instruction` with this transaction; nothing if its external id was posted before."""

    async def post(self) -> int:
        """Post what was added so far, now: a refusal is raised here. How many were not posted before."""


class Balances(Protocol):
    """What the accounts hold."""

    async def of_driver(self, driver_id: UUID) -> DriverBalance:
        """Zeros for a driver without postings."""

    async def of_account(self, code: str) -> Decimal:
        """On the account's normal side, everything committed included."""

    async def fold(self, *, now: datetime) -> int:
        """Move the platform accounts' running balances forward; how many accounts changed."""

    async def all_accounts(self) -> dict[str, Decimal]:
        """The balance of every detail account, by code."""

    async def entries_difference(self) -> Decimal:
        """Debits minus credits of all entries there are; takes its time."""

    async def wrong_accounts(self) -> list[str]:
        """Codes of accounts whose kept balance, or an owner's part of it, its entries contradict; takes its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRoom:
    """`days_ahead`: for so many days from today on there are partitions, 0 when today has none."""

    days_ahead: int
    in_default: int


class Journals(Protocol):
    """What is posted."""

    async def by_transaction(self, transaction_id: str) -> Journal | None: ...

    async def earnings(self, driver_id: UUID, *, periods: Periods) -> Earnings: ...

    async def find(self, name: str) -> Journal | None:
        """The journal of that transaction id, or of that id."""

    async def lock_entity(self, entity_type: str, entity_id: str) -> None:
        """Nobody else who locks it reads or posts about this entity until the transaction ends."""

    async def partition_room(self, *, today: date) -> PartitionRoom: ...

    async def make_partitions(self, *, first: date, last: date) -> int:
        """Make the months' partitions; how many were missing."""


class Reports(Protocol):
    """The entries, added up for people."""

    async def movements(self, *, first: date, last: date) -> list[Movement]:
        """All entries of these posting days, both included, by day, account, event and side."""

    async def driver_postings(self, driver_id: UUID, *, first: date, last: date) -> list[DriverPosting]:
        """What moved the driver's money on these posting days, both included, in order."""


class Days(Protocol):
    """Days that are over: their snapshots and who closed them."""

    async def turnovers(self, moment: Moment) -> Mapping[str, Turnover]:
        """Account code → all debits and credits up to the moment; accounts that never moved are left out."""

    async def turnover(self, code: str, *, owner_id: UUID | None, moment: Moment) -> Turnover:
        """Of one account, all owners together or one of them."""

    async def lock(self) -> None:
        """Nobody else takes a snapshot or closes a day until the transaction ends."""

    async def next_day(self) -> date | None:
        """The day after the last snapshot, the day of the first journal without one, None without both."""

    async def first_day(self) -> date | None:
        """The day of the first snapshot."""

    async def last_day(self) -> date | None:
        """The day of the last snapshot."""

    async def take(self, day: date, *, now: datetime) -> int:
        """Shut the day: wait for those who still post into it, and keep its balances; how many moved."""

    async def differing(self, day: date) -> int:
        """How many kept balances of that day's snapshot its entries contradict."""

    async def state(self, day: date) -> DayState: ...

    async def close(self, closed: ClosedDay) -> None: ...

    async def closed(self, *, before: date | None, limit: int) -> list[ClosedDay]:
        """Newest first."""


class ManualJournals(Protocol):
    """Proposals of manual journals."""

    async def add(self, proposal: Proposal) -> None: ...

    async def get(self, proposal_id: UUID, *, lock: bool = False) -> Proposal | None: ...

    async def decide(self, proposal: Proposal) -> None: ...

    async def page(
        self, *, status: ProposalStatus | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[Proposal]:
        """Newest first."""


class BankStatements(Protocol):
    """Efí's statements, and which bank entry each of their lines speaks for."""

    async def lock(self) -> None:
        """Nobody else matches until the transaction ends."""

    async def keep_line(self, line: StatementLine, *, now: datetime) -> StatementLine:
        """The line of that id as it is kept: the given one, or one that came before."""

    async def candidates(self, line: StatementLine) -> list[BankEntry]:
        """The bank entries without a line that this line may speak of."""

    async def match(self, line: StatementLine, entries: Sequence[BankEntry], *, now: datetime) -> None: ...

    async def matched(self, line_id: str) -> bool: ...

    async def unmatched_lines(self, *, day: date | None = None) -> list[ReceivedLine]:
        """Lines without an entry and without a case, of one day or of all; oldest first."""

    async def keep_closed(self, closed: StatementClosed, *, now: datetime) -> None:
        """The newest of a day's counts: one of a day under way is followed by the day's own."""

    async def due(self, *, received_before: datetime) -> list[StatementClosed]:
        """Statements of days that were over, not checked yet and complete since then; oldest first."""

    async def entries_alone(self, day: date) -> list[BankEntry]:
        """The bank entries that occurred on that day and have no line."""

    async def contested(self, day: date) -> Collection[int]:
        """Ids of bank entries that a line of that day with an open or resolved case may speak of."""

    async def sums(self, closed: StatementClosed) -> DaySums: ...

    async def checked(self, day: date, *, now: datetime) -> None: ...

    async def balances_due(self, *, received_before: datetime) -> list[StatementClosed]:
        """Checked statements with a balance that is not judged, complete since then; oldest first."""

    async def booked_balance(self, closed: StatementClosed, *, flight_s: float) -> BookedBalance:
        """At the statement's moment; `flight_s` before and after it is in flight."""

    async def judged_before(self, day: date) -> list[JudgedBalance]:
        """The judged balances of earlier days, oldest first."""

    async def judge(self, day: date, *, apart: Decimal, gap: Span) -> None:
        """`apart` is what the day shows, `gap` what it may mean."""

    async def days(self, *, before: date | None, limit: int) -> list[BankDay]:
        """Newest first."""

    async def day(self, day: date) -> BankDay | None: ...


class Cases(Protocol):
    """Reconciliation cases."""

    async def open(self, case: Case) -> bool:
        """False when a case of that external id exists already."""

    async def get(self, case_id: UUID, *, lock: bool = False) -> Case | None: ...

    async def resolve(self, case: Case) -> None: ...

    async def page(
        self,
        *,
        status: CaseStatus | None,
        kind: CaseKind | None,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[Case]:
        """Newest first."""

    async def open_by_kind(self) -> Mapping[CaseKind, int]: ...


class Seals(Protocol):
    """The hash chain over what is posted."""

    async def to_anchor(self) -> Seal | None:
        """The newest seal, noted as told outside; None when it was told before."""

    async def after(self, seq: int, *, limit: int) -> list[Seal]: ...

    async def journals_of(self, seal: Seal) -> list[SealedJournal]:
        """What is posted under the seal's batch, in order."""

    async def head(self) -> int:
        """The number of the newest seal, by the chain's own row."""

    async def stray(self) -> tuple[int, int]:
        """(journals, entries) that are posted and in no seal; negative when some are missing."""


class Tx(Protocol):
    """One transaction of the books."""

    @property
    def book(self) -> OpenBook: ...
    @property
    def balances(self) -> Balances: ...
    @property
    def journals(self) -> Journals: ...
    @property
    def cases(self) -> Cases: ...
    @property
    def seals(self) -> Seals: ...
    @property
    def reports(self) -> Reports: ...
    @property
    def days(self) -> Days: ...
    @property
    def manual_journals(self) -> ManualJournals: ...
    @property
    def bank_statements(self) -> BankStatements: ...

    async def at_one_moment(self) -> None:
        """Call it first: everything read afterwards is of one moment, and may take its time."""

    async def forget_answers(self, *, before: datetime) -> None:
        """Drop the stored answers of older idempotent requests."""

    async def publish(self, fact: Fact, *, version: int = 0) -> UUID: ...
