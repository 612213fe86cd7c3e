"""Payouts in memory, an identity and a bank made by hand, for payout's tests."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from contracts.base import Fact
from kernel.ids import new_id
from kernel.money import ZERO
from payout.domain.bank_details import BankDetails, Snapshot
from payout.domain.known_balance import KnownBalance
from payout.domain.payout import FailureReason, Payout, Step
from payout.domain.policy import Policy
from payout.domain.send import (
    Outcome,
    SendProblem,
    SendReport,
    SendReturn,
    SendState,
    SendUnclear,
)
from payout.ports import DirectoryAway, OpenTx
from testkit.fake_clock import FakeClock

NOW: Final = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
DETAILS: Final = BankDetails(pix_key="ana@exemplo.com.br", pix_key_type="email", cpf="52998224725")


class PayoutRows:
    """The rows of the tables payouts, payout_attempts, payout_returns and driver_balances."""

    def __init__(self) -> None:
        self.payouts: dict[UUID, Payout] = {}
        self.due: dict[UUID, datetime | None] = {}
        self.attempts: dict[UUID, tuple[UUID, str, datetime, Outcome | None]] = {}
        self.returns: dict[str, tuple[UUID, Decimal]] = {}
        self.balances: dict[UUID, KnownBalance] = {}
        self.published: list[Fact] = []


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
        await self.add(payout, due_at=due_at)

    async def postpone(self, payout_id: UUID, *, due_at: datetime | None) -> None:
        self._rows.due[payout_id] = due_at

    async def hasten(self, id_envio: str, *, now: datetime) -> bool:
        reached = {Step.SENT, Step.UNKNOWN, Step.FAILED, Step.COMPLETED, Step.RETURNED}
        for payout in self._rows.payouts.values():
            if payout.id_envio == id_envio and payout.step in reached:
                self._rows.due[payout.id] = now
                return True
        return False

    async def claim_due(
        self, steps: Collection[Step], *, now: datetime, until: datetime, limit: int
    ) -> Sequence[Payout]:
        alarms = {id_: at for id_, at in self._rows.due.items() if at is not None and at <= now}
        due = [id_ for id_ in sorted(alarms, key=alarms.__getitem__) if self._rows.payouts[id_].step in steps]
        for payout_id in due[:limit]:
            self._rows.due[payout_id] = until
        return [self._rows.payouts[payout_id] for payout_id in due[:limit]]

    async def list_of(
        self, driver_id: UUID | None, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[Payout]:
        found = [p for p in self._rows.payouts.values() if driver_id in (None, p.driver_id)]
        older = [p for p in found if before is None or (p.created_at, p.id) < before]
        return sorted(older, key=lambda p: (p.created_at, p.id), reverse=True)[:limit]

    async def asked_for(self, driver_id: UUID, *, beyond_version: int) -> Decimal:
        own = (p for p in self._rows.payouts.values() if p.driver_id == driver_id)
        open_ = (
            p.amount
            for p in own
            if p.step in (Step.REQUESTED, Step.READY) or (p.held_version or 0) > beyond_version
        )
        return sum(open_, ZERO)

    async def add_return(self, payout_id: UUID, *, return_id: str, amount: Decimal, now: datetime) -> bool:
        if return_id in self._rows.returns:
            return False
        self._rows.returns[return_id] = (payout_id, amount)
        return True


class FakeAttempts:
    def __init__(self, rows: PayoutRows) -> None:
        self._rows = rows

    async def start(self, payout: Payout, *, attempt_id: UUID, now: datetime) -> None:
        self._rows.attempts[attempt_id] = (payout.id, payout.sent_as, now, None)

    async def finish(self, attempt_id: UUID, *, outcome: Outcome, code: str | None, now: datetime) -> None:
        payout_id, id_envio, started_at, _ = self._rows.attempts[attempt_id]
        self._rows.attempts[attempt_id] = (payout_id, id_envio, started_at, outcome)

    async def last_unclear_at(self, payout_id: UUID) -> datetime | None:
        own = (a for a in self._rows.attempts.values() if a[0] == payout_id)
        return max((a[2] for a in own if a[3] in (None, Outcome.UNCLEAR)), default=None)


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
    """Every transaction sees the same rows; nothing is rolled back."""

    def __init__(self, rows: PayoutRows | None = None) -> None:
        self.rows = rows or PayoutRows()
        self.payouts = FakePayouts(self.rows)
        self.attempts = FakeAttempts(self.rows)
        self.balances = FakeKnownBalances(self.rows)
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

    async def send(self, id_envio: str, *, amount: Decimal, details: BankDetails) -> SendReport:
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
    """Identity: `details` for everyone, None for nobody, or away."""

    details: BankDetails | None = DETAILS
    away: bool = False

    async def bank_details(self, driver_id: UUID) -> BankDetails | None:
        if self.away:
            raise DirectoryAway("away")
        return self.details


class FakeVault:
    """Readable at a glance and sealed for nobody: unit tests only."""

    def seal(self, details: BankDetails) -> Snapshot:
        clear = "|".join((details.pix_key, details.pix_key_type, details.cpf))
        return Snapshot(sealed=base64.b64encode(clear.encode()).decode(), masked=details.masked())

    def open(self, snapshot: Snapshot) -> BankDetails:
        pix_key, kind, cpf = base64.b64decode(snapshot.sealed).decode().split("|")
        return BankDetails(pix_key=pix_key, pix_key_type=kind, cpf=cpf)


class FakeDeps:
    """What effects work with, in memory unless a real `transaction` is given."""

    def __init__(
        self,
        *,
        clock: FakeClock | None = None,
        transaction: OpenTx | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.clock = clock or FakeClock(NOW)
        self.rows = PayoutRows()
        self.directory = FakeDirectory()
        self.vault = FakeVault()
        self.bank = FakeBank()
        self.policy = policy or Policy()
        self.transaction: OpenTx = transaction or self._in_memory

    def now(self) -> datetime:
        return self.clock.now()

    @asynccontextmanager
    async def _in_memory(self) -> AsyncIterator[FakeTx]:
        tx = FakeTx(self.rows)
        yield tx
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
        minimum=Decimal("1.00"),
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
        Step.RETURNED: [lambda p: p.give_back(SendReturn(return_id="D1", amount=Decimal("1.00")), now=at)[0]],
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
