"""Payouts in memory, an identity and a bank made by hand, for payout's tests."""

import base64
import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from contracts.base import Fact
from kernel.ids import new_id
from kernel.money import ZERO
from payout.domain.bank_details import BankDetails, Payee, Snapshot
from payout.domain.contradiction import Contradiction
from payout.domain.history import Attempt
from payout.domain.known_balance import KnownBalance
from payout.domain.limits import Usage
from payout.domain.payout import Payout
from payout.domain.policy import Policy
from payout.domain.returns import KnownReturn
from payout.domain.send import (
    Outcome,
    SendProblem,
    SendReport,
    SendReturn,
    SendState,
    SendUnclear,
)
from payout.domain.standing import Standing
from payout.domain.step import FailureReason, Status, Step
from payout.ports import DirectoryAway, OpenTx, Tx
from testkit.fake_clock import FakeClock

NOW: Final = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
DETAILS: Final = BankDetails(pix_key="ana@exemplo.com.br", pix_key_type="email", cpf="52998224725")
PAYEE: Final = Payee(details=DETAILS)


class PayoutRows:
    """The rows of payout's tables; what is in them never changes, so a shallow copy is a save point."""

    def __init__(self) -> None:
        self.payouts: dict[UUID, Payout] = {}
        self.due: dict[UUID, datetime | None] = {}
        self.hinted: dict[UUID, datetime] = {}
        self.attempts: dict[UUID, tuple[UUID, Attempt]] = {}
        self.returns: dict[str, tuple[UUID, KnownReturn]] = {}
        self.contradictions: dict[tuple[UUID, str], Contradiction] = {}
        self.balances: dict[UUID, KnownBalance] = {}
        self.standings: dict[UUID, Standing] = {}
        self.published: list[Fact] = []

    def copied(self) -> dict[str, Any]:
        return {name: copy.copy(table) for name, table in vars(self).items()}

    def restore(self, saved: dict[str, Any]) -> None:
        vars(self).update(saved)


class FakePayouts:
    def __init__(self, rows: PayoutRows) -> None:
        self._rows = rows

    async def add(self, payout: Payout, *, due_at: datetime | None) -> None:
        self._rows.payouts[payout.id] = payout
        self._rows.due[payout.id] = due_at

    async def get(self, payout_id: UUID) -> Payout | None:
        return self._rows.payouts.get(payout_id)

    async def lock(self, payout_id: UUID) -> Payout | None:
        return self._rows.payouts.get(payout_id)

    async def save(self, payout: Payout, *, due_at: datetime | None) -> None:
        assert self._rows.payouts[payout.id].version < payout.version
        self._rows.payouts[payout.id] = payout
        if payout.step is Step.SENDING:
            self._rows.hinted.pop(payout.id, None)
        await self.postpone(payout.id, due_at=due_at)

    async def postpone(self, payout_id: UUID, *, due_at: datetime | None) -> None:
        alarms = (self._rows.hinted.get(payout_id), due_at)
        self._rows.due[payout_id] = min((at for at in alarms if at is not None), default=None)

    async def hasten(self, id_envio: str, *, now: datetime) -> bool:
        reached = {Step.SENT, Step.UNKNOWN, Step.FAILED, Step.COMPLETED, Step.RETURNED}
        for payout in self._rows.payouts.values():
            if payout.id_envio == id_envio and payout.step in reached:
                self._rows.due[payout.id] = self._rows.hinted[payout.id] = now
                return True
        return False

    async def claim_due(
        self, steps: Collection[Step], *, now: datetime, until: datetime, limit: int
    ) -> Sequence[Payout]:
        alarms = {id_: at for id_, at in self._rows.due.items() if at is not None and at <= now}
        due = [id_ for id_ in sorted(alarms, key=alarms.__getitem__) if self._rows.payouts[id_].step in steps]
        for payout_id in due[:limit]:
            self._rows.due[payout_id] = until
            self._rows.hinted.pop(payout_id, None)
        return [self._rows.payouts[payout_id] for payout_id in due[:limit]]

    async def list_of(
        self,
        driver_id: UUID | None,
        *,
        before: tuple[datetime, UUID] | None,
        limit: int,
        status: Status | None = None,
        step: Step | None = None,
    ) -> Sequence[Payout]:
        found = [
            p
            for p in self._rows.payouts.values()
            if driver_id in (None, p.driver_id) and status in (None, p.status) and step in (None, p.step)
        ]
        older = [p for p in found if before is None or (p.created_at, p.id) < before]
        return sorted(older, key=lambda p: (p.created_at, p.id), reverse=True)[:limit]

    async def used(self, driver_id: UUID | None, *, start: datetime, end: datetime) -> Usage:
        counted = [
            p.amount
            for p in self._rows.payouts.values()
            if driver_id in (None, p.driver_id) and start <= p.created_at < end and p.step is not Step.FAILED
        ]
        return Usage(count=len(counted), amount=sum(counted, ZERO))

    async def lock_platform(self) -> None:
        pass

    async def asked_for(self, driver_id: UUID, *, beyond_version: int) -> Decimal:
        own = (p for p in self._rows.payouts.values() if p.driver_id == driver_id)
        open_ = (
            p.amount
            for p in own
            if p.step in (Step.REQUESTED, Step.READY) or (p.held_version or 0) > beyond_version
        )
        return sum(open_, ZERO)

    async def add_return(self, payout_id: UUID, *, one: KnownReturn, now: datetime) -> bool:
        if one.return_id in self._rows.returns:
            return False
        self._rows.returns[one.return_id] = (payout_id, one)
        return True

    async def returns_of(self, payout_id: UUID) -> Sequence[KnownReturn]:
        return [one for owner, one in self._rows.returns.values() if owner == payout_id]

    async def add_contradiction(self, payout_id: UUID, *, found: Contradiction, now: datetime) -> bool:
        if (payout_id, found.reported) in self._rows.contradictions:
            return False
        self._rows.contradictions[payout_id, found.reported] = found
        return True

    async def contradictions_of(self, payout_id: UUID) -> Sequence[Contradiction]:
        return [found for (owner, _), found in self._rows.contradictions.items() if owner == payout_id]

    async def oldest_in_doubt(self) -> datetime | None:
        doubts = {owner for owner, one in self._rows.attempts.values() if one.in_doubt}
        started = (
            p.asked_at
            for p in self._rows.payouts.values()
            if p.step is Step.UNKNOWN or (p.step is Step.SENDING and p.id in doubts)
        )
        return min((at for at in started if at is not None), default=None)

    async def oldest_open(self, statuses: Collection[Status]) -> Mapping[Status, datetime]:
        oldest: dict[Status, datetime] = {}
        for payout in self._rows.payouts.values():
            if payout.status in statuses:
                since = payout.asked_at or payout.created_at
                oldest[payout.status] = min(since, oldest.get(payout.status, since))
        return oldest


class FakeAttempts:
    def __init__(self, rows: PayoutRows) -> None:
        self._rows = rows

    async def start(self, payout: Payout, *, attempt_id: UUID, now: datetime) -> None:
        begun = Attempt(id=attempt_id, id_envio=payout.sent_as, started_at=now)
        self._rows.attempts[attempt_id] = (payout.id, begun)

    async def finish(self, attempt_id: UUID, *, outcome: Outcome, code: str | None, now: datetime) -> None:
        payout_id, begun = self._rows.attempts[attempt_id]
        ended = replace(begun, outcome=outcome, code=code, finished_at=now)
        self._rows.attempts[attempt_id] = (payout_id, ended)

    async def last_unclear_at(self, payout_id: UUID) -> datetime | None:
        own = await self.list_of(payout_id)
        return max((one.started_at for one in own if one.in_doubt), default=None)

    async def list_of(self, payout_id: UUID) -> Sequence[Attempt]:
        return [one for owner, one in self._rows.attempts.values() if owner == payout_id]


class FakeStandings:
    def __init__(self, rows: PayoutRows) -> None:
        self._rows = rows

    async def get(self, driver_id: UUID) -> Standing | None:
        return self._rows.standings.get(driver_id)

    async def put(self, standing: Standing, *, now: datetime) -> bool:
        known = self._rows.standings.get(standing.driver_id)
        if known is not None and known.version >= standing.version:
            return False
        self._rows.standings[standing.driver_id] = standing
        return True


class FakeKnownBalances:
    def __init__(self, rows: PayoutRows) -> None:
        self._rows = rows

    async def lock(self, driver_id: UUID) -> KnownBalance:
        return self._rows.balances.get(driver_id, KnownBalance(driver_id=driver_id))

    async def put(self, balance: KnownBalance, *, now: datetime) -> bool:
        known = self._rows.balances.get(balance.driver_id)
        if known is not None and known.version >= balance.version:
            return False
        self._rows.balances[balance.driver_id] = balance
        return True


class FakeTx:
    """Every transaction sees the same rows."""

    def __init__(self, rows: PayoutRows | None = None) -> None:
        self.rows = rows or PayoutRows()
        self.payouts = FakePayouts(self.rows)
        self.attempts = FakeAttempts(self.rows)
        self.balances = FakeKnownBalances(self.rows)
        self.standings = FakeStandings(self.rows)
        self.hooks: list[Callable[[], Awaitable[None]]] = []

    async def publish(self, fact: Fact, *, version: int = 0) -> UUID:
        self.rows.published.append(fact)
        return new_id()

    def after_commit(self, work: Callable[[], Awaitable[None]]) -> None:
        self.hooks.append(work)


@dataclass
class FakeBank:
    """A bank by the book: one send an idEnvio, whatever is asked how often.

    `answers` are the next results of `send`, in order: None for a usual answer, an exception to raise
    (`SendUnclear` loses the answer of a send that happened; `lost` loses the request too).
    """

    answers: list[SendProblem | None] = field(default_factory=list)
    lost: bool = False
    finding: SendProblem | None = None
    sends: dict[str, SendReport] = field(default_factory=dict)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    before_answer: Callable[[], Awaitable[None]] | None = None
    open_transactions: Callable[[], int] = lambda: 0

    async def send(self, id_envio: str, *, amount: Decimal, details: BankDetails) -> SendReport:
        assert self.open_transactions() == 0, "the bank was called inside a transaction"
        self.calls.append(f"send {id_envio}")
        problem = self.answers.pop(0) if self.answers else None
        if problem is None or (isinstance(problem, SendUnclear) and not self.lost):
            self.sends.setdefault(id_envio, SendReport(state=SendState.PROCESSING, e2e_id=f"E{id_envio}"))
            self.amounts.setdefault(id_envio, amount)
        if self.before_answer is not None:
            await self.before_answer()
        if problem is not None:
            raise problem
        return self.sends[id_envio]

    async def find(self, id_envio: str) -> SendReport | None:
        assert self.open_transactions() == 0, "the bank was asked inside a transaction"
        self.calls.append(f"find {id_envio}")
        if self.finding is not None:
            raise self.finding
        return self.sends.get(id_envio)

    def decide(
        self, id_envio: str, state: SendState, *, fee: str = "0.00", error_code: str | None = None
    ) -> None:
        """The bank's verdict."""
        self.sends[id_envio] = SendReport(
            state=state, e2e_id=f"E{id_envio}", fee=Decimal(fee), error_code=error_code
        )

    def give_back(self, id_envio: str, *parts: str) -> None:
        """The receiver gives the send back in parts."""
        returns = tuple(
            SendReturn(return_id=f"D{id_envio[:28]}{n}", amount=Decimal(part)) for n, part in enumerate(parts)
        )
        known = self.sends[id_envio]
        self.sends[id_envio] = SendReport(state=known.state, e2e_id=known.e2e_id, returns=returns)

    @property
    def paid(self) -> Decimal:
        """What left the account, returns aside."""
        happened = (id_ for id_, report in self.sends.items() if report.state is not SendState.REJECTED)
        return sum((self.amounts.get(id_, ZERO) for id_ in happened), ZERO)


@dataclass
class FakeDirectory:
    """Identity: the same `payee` for everyone, or away."""

    payee_now: Payee | None = PAYEE
    away: bool = False
    open_transactions: Callable[[], int] = lambda: 0

    async def payee(self, driver_id: UUID) -> Payee | None:
        assert self.open_transactions() == 0, "identity was asked inside a transaction"
        if self.away:
            raise DirectoryAway("away")
        return self.payee_now


class FakeVault:
    """Readable at a glance and sealed for nobody: unit tests only."""

    def seal(self, details: BankDetails) -> Snapshot:
        clear = "|".join((details.pix_key, details.pix_key_type, details.cpf))
        return Snapshot(sealed=base64.b64encode(clear.encode()).decode(), masked=details.masked())

    def open(self, snapshot: Snapshot) -> BankDetails:
        pix_key, kind, cpf = base64.b64decode(snapshot.sealed).decode().split("|")
        return BankDetails(pix_key=pix_key, pix_key_type=kind, cpf=cpf)


class FakeDeps:
    """What effects work with, in memory unless a real `transaction` is given.

    A transaction that fails is undone. The bank and identity refuse to be called inside one.
    """

    def __init__(
        self,
        *,
        clock: FakeClock | None = None,
        transaction: OpenTx | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.clock = clock or FakeClock(NOW)
        self.rows = PayoutRows()
        self.open_transactions: ContextVar[int] = ContextVar("open_transactions", default=0)
        self.directory = FakeDirectory(open_transactions=self.open_transactions.get)
        self.vault = FakeVault()
        self.bank = FakeBank(open_transactions=self.open_transactions.get)
        self.policy = policy or Policy()
        self._transaction: OpenTx = transaction or self._in_memory

    def now(self) -> datetime:
        return self.clock.now()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Counted in the task that opened it: two workers of one test do not see each other's."""
        self.open_transactions.set(self.open_transactions.get() + 1)
        try:
            async with self._transaction() as tx:
                yield tx
        finally:
            self.open_transactions.set(self.open_transactions.get() - 1)

    @asynccontextmanager
    async def _in_memory(self) -> AsyncIterator[FakeTx]:
        saved = self.rows.copied()
        tx = FakeTx(self.rows)
        try:
            yield tx
        except BaseException:
            self.rows.restore(saved)
            raise
        for hook in tx.hooks:
            await hook()


def payout_at(
    step: Step, *, amount: str = "50.00", driver_id: UUID | None = None, at: datetime = NOW
) -> Payout:
    """A payout that came to `step` in the usual way."""
    payout, _ = Payout.request(
        payout_id=new_id(),
        driver_id=driver_id or new_id(),
        amount=Decimal(amount),
        now=at,
    )
    return _advance(payout, step, at)


def _advance(payout: Payout, step: Step, at: datetime) -> Payout:
    report = SendReport(state=SendState.DONE, e2e_id="E1")
    moves: dict[Step, list[Callable[[Payout], Payout]]] = {
        Step.REQUESTED: [],
        Step.READY: [lambda p: p.prepare(FakeVault().seal(DETAILS), now=at)[0]],
        Step.HELD: [lambda p: p.hold(balance_version=2)],
        Step.SENDING: [lambda p: p.start_sending(now=at)],
        Step.SENT: [lambda p: p.accept(report, now=at)[0]],
        Step.UNKNOWN: [lambda p: p.lose_track()],
        Step.COMPLETED: [lambda p: p.complete(report, now=at)[0]],
        Step.RETURNED: [lambda p: p.give_back(return_id="D1", amount=Decimal("1.00"), now=at)[0]],
        Step.FAILED: [lambda p: p.fail(FailureReason.INSUFFICIENT_BALANCE, now=at)[0]],
    }
    ways: dict[Step, tuple[Step, ...]] = {
        Step.FAILED: (Step.READY, Step.FAILED),
        Step.UNKNOWN: (Step.READY, Step.HELD, Step.SENDING, Step.UNKNOWN),
        Step.COMPLETED: (Step.READY, Step.HELD, Step.SENDING, Step.COMPLETED),
        Step.RETURNED: (Step.READY, Step.HELD, Step.SENDING, Step.COMPLETED, Step.RETURNED),
    }
    usual = (Step.READY, Step.HELD, Step.SENDING, Step.SENT)
    way = ways.get(step) or usual[: usual.index(step) + 1 if step in usual else 0]
    for one in way:
        for move in moves[one]:
            payout = move(payout)
    return payout
