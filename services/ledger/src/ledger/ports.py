"""What the verbs need of the world: the open book, balances, journals, cases, seals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from contracts.base import Fact
from contracts.payment import StatementLine
from ledger.domain.driver_balance import DriverBalance
from ledger.domain.earnings import Earnings
from ledger.domain.instruction import Instruction
from ledger.domain.journal import Journal
from ledger.domain.period import Periods
from ledger.domain.seal import Seal, SealedJournal
from ledger.domain.statement import Difference


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


class Journals(Protocol):
    """What is posted."""

    async def by_transaction(self, transaction_id: str) -> Journal | None: ...

    async def earnings(self, driver_id: UUID, *, periods: Periods) -> Earnings: ...

    async def bank_movements(self, line: StatementLine) -> list[Decimal]:
        """The bank entries (signed: in positive, out negative) that a statement line may speak of."""

    async def make_partitions(self, *, first: date, last: date) -> int:
        """Make the months' partitions; how many were missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A reconciliation case to open."""

    id: UUID
    difference: Difference
    reference: str
    external_id: str
    amount: Decimal
    opened_at: datetime


class Cases(Protocol):
    """Reconciliation cases."""

    async def open(self, case: Case) -> bool:
        """False when a case of that external id exists already."""


class Seals(Protocol):
    """The hash chain over posted journals."""

    async def last(self) -> Seal | None:
        """The newest seal; locks the chain until the transaction ends."""

    async def unsealed(self, *, limit: int) -> tuple[str, Sequence[SealedJournal]]:
        """(a horizon below which every transaction has ended, the journals below it that have no seal).

        About `limit` journals at most: whole transactions only.
        """

    async def add(self, seal: Seal) -> None: ...

    async def after(self, seq: int, *, limit: int) -> list[Seal]: ...

    async def journals_of(self, seal: Seal) -> Sequence[SealedJournal]: ...


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

    async def publish(self, fact: Fact, *, version: int = 0) -> UUID: ...
