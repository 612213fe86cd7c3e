"""What the verbs need from outside: payouts, balances, identity, the bank."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from contracts.base import Fact
from payout.domain.bank_details import BankDetails, Payee, Snapshot
from payout.domain.contradiction import Contradiction
from payout.domain.history import Attempt
from payout.domain.known_balance import KnownBalance
from payout.domain.limits import Usage
from payout.domain.payout import Payout
from payout.domain.policy import Policy
from payout.domain.returns import KnownReturn
from payout.domain.send import Outcome, SendReport
from payout.domain.standing import Standing
from payout.domain.step import Status, Step


class Payouts(Protocol):
    async def add(self, payout: Payout, *, due_at: datetime | None) -> None:
        """`due_at` is when a worker looks at it next; None: not until something happens."""

    async def get(self, payout_id: UUID) -> Payout | None: ...

    async def lock(self, payout_id: UUID) -> Payout | None: ...

    async def save(self, payout: Payout, *, due_at: datetime | None) -> None:
        """Write it unless someone wrote it since it was read.

        A hint that came since it was claimed stays due, unless a send begins with this: that is newer.
        """

    async def postpone(self, payout_id: UUID, *, due_at: datetime | None) -> None:
        """Only move when a worker looks next; never past a hint that came since it was claimed."""

    async def hasten(self, id_envio: str, *, now: datetime) -> bool:
        """Have a send of that idEnvio that reached the bank looked at now; False when there is none."""

    async def claim_due(
        self, steps: Collection[Step], *, now: datetime, until: datetime, limit: int
    ) -> Sequence[Payout]:
        """Payouts at these steps that are due, left to this worker until `until`."""

    async def list_of(
        self,
        driver_id: UUID | None,
        *,
        before: tuple[datetime, UUID] | None,
        limit: int,
        status: Status | None = None,
        step: Step | None = None,
    ) -> Sequence[Payout]:
        """Newest first; of every driver, status and step for None."""

    async def used(self, driver_id: UUID | None, *, start: datetime, end: datetime) -> Usage:
        """What was asked for from `start` until before `end` and has not failed; by everybody for None."""

    async def lock_platform(self) -> None:
        """Until the transaction ends nobody else counts the platform's payouts."""

    async def asked_for(self, driver_id: UUID, *, beyond_version: int) -> Decimal:
        """What the driver's open payouts take that a balance of that version does not show yet."""

    async def add_return(self, payout_id: UUID, *, one: KnownReturn, now: datetime) -> bool:
        """Note a return; False when it was noted before."""

    async def returns_of(self, payout_id: UUID) -> Sequence[KnownReturn]:
        """Oldest first."""

    async def add_contradiction(self, payout_id: UUID, *, found: Contradiction, now: datetime) -> bool:
        """False when the bank's word about this payout was noted before."""

    async def contradictions_of(self, payout_id: UUID) -> Sequence[Contradiction]:
        """Oldest first."""

    async def oldest_in_doubt(self) -> datetime | None:
        """When the bank was first given the oldest send of which nobody knows whether it has it."""

    async def oldest_open(self, statuses: Collection[Status]) -> Mapping[Status, datetime]:
        """Since when the oldest of each status waits: its first send, or before that its request. None: no entry."""


class Attempts(Protocol):
    async def start(self, payout: Payout, *, attempt_id: UUID, now: datetime) -> None: ...

    async def finish(
        self, attempt_id: UUID, *, outcome: Outcome, code: str | None, now: datetime
    ) -> None: ...

    async def last_unclear_at(self, payout_id: UUID) -> datetime | None:
        """When the newest attempt began that ended unclear or never ended."""

    async def list_of(self, payout_id: UUID) -> Sequence[Attempt]:
        """Oldest first."""


class KnownBalances(Protocol):
    async def lock(self, driver_id: UUID) -> KnownBalance:
        """Locked until the transaction ends; zeros when nothing was heard yet."""

    async def put(self, balance: KnownBalance, *, now: datetime) -> bool:
        """False when something newer is known."""


class Standings(Protocol):
    async def get(self, driver_id: UUID) -> Standing | None: ...

    async def put(self, standing: Standing, *, now: datetime) -> bool:
        """False when something as new is known."""


class Tx(Protocol):
    @property
    def payouts(self) -> Payouts: ...
    @property
    def attempts(self) -> Attempts: ...
    @property
    def balances(self) -> KnownBalances: ...
    @property
    def standings(self) -> Standings: ...

    async def publish(self, fact: Fact, *, version: int = 0) -> UUID: ...

    def after_commit(self, work: Callable[[], Awaitable[None]]) -> None: ...


OpenTx = Callable[[], AbstractAsyncContextManager[Tx]]


class Directory(Protocol):
    """The home of Pix keys: identity."""

    async def payee(self, driver_id: UUID) -> Payee | None:
        """None for a driver it does not know; raises DirectoryAway when nobody answers."""


class DirectoryAway(Exception):
    """Identity cannot say at the moment."""


class Vault(Protocol):
    def seal(self, details: BankDetails) -> Snapshot: ...

    def open(self, snapshot: Snapshot) -> BankDetails: ...


class Bank(Protocol):
    """Efí, about sends. Raises SendRefused, SendUnclear or SendNotMade."""

    async def send(self, id_envio: str, *, amount: Decimal, details: BankDetails) -> SendReport: ...

    async def find(self, id_envio: str) -> SendReport | None:
        """None when the bank does not know the id (yet)."""


class Deps(Protocol):
    """What effects and jobs work with."""

    @property
    def transaction(self) -> OpenTx: ...
    @property
    def directory(self) -> Directory: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def bank(self) -> Bank: ...
    @property
    def policy(self) -> Policy: ...

    def now(self) -> datetime: ...
