"""Payout between a bank and a ledger that are small enough to be believed, with crashes and bad lines."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar
from uuid import UUID

from payout_fakes import NOW, FakeDeps, FakeTx

from contracts.base import Fact
from contracts.identity import UserStatus
from contracts.payout import PayoutCompleted, PayoutFailed, PayoutReady, PayoutReturned
from kernel.money import ZERO
from payout.domain.bank_details import BankDetails
from payout.domain.known_balance import KnownBalance
from payout.domain.policy import Policy
from payout.domain.send import SendNotMade, SendRefused, SendReport, SendReturn, SendState, SendUnclear
from payout.domain.standing import Standing
from payout.domain.step import FailureReason
from payout.usecases.fail_payout import fail_payout
from payout.usecases.follow_balance import follow_balance
from payout.usecases.follow_standing import follow_standing
from payout.usecases.hold_payout import hold_payout

R = TypeVar("R")
LATEST_ARRIVAL_S: Final = 60
LONGEST_SILENCE_S: Final = 50
"""Together less than the patience before a send is repeated: Efí's answers are late, but not later."""
MODES: Final = ("ok", "refuse", "lost_request", "lost_answer", "late_request", "not_made")


class Crash(BaseException):
    """The process died: nobody catches it."""


@dataclass
class Crashes:
    """Dies at the n-th point from now on: before or after a commit, before or after a call takes effect."""

    left: int | None = None

    def point(self) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            raise Crash


@dataclass(frozen=True)
class Order:
    """What the bank has under one idEnvio; the query tells of it from `visible_at` on."""

    amount: Decimal
    visible_at: datetime
    state: SendState = SendState.PROCESSING
    returns: tuple[SendReturn, ...] = ()


@dataclass
class Bank:
    """One order an idEnvio, whatever is asked how often. `mode` is how the next new order goes."""

    now: Callable[[], datetime]
    crashes: Crashes
    check: Callable[[str, Decimal], None]
    mode: str = "ok"
    silence_s: int = 0
    deaf: bool = False
    nameless: bool = False
    orders: dict[str, Order] = field(default_factory=dict)
    on_the_way: dict[str, tuple[datetime, Decimal]] = field(default_factory=dict)

    async def send(self, id_envio: str, *, amount: Decimal, details: BankDetails) -> SendReport:
        self.check(id_envio, amount)
        self.crashes.point()
        self.arrive()
        mode, self.mode = self.mode, "ok"
        try:
            return self._take(id_envio, amount, mode)
        finally:
            self.crashes.point()

    def _take(self, id_envio: str, amount: Decimal, mode: str) -> SendReport:
        if mode == "not_made":
            raise SendNotMade
        if mode == "late_request":
            self.on_the_way[id_envio] = (self.now() + timedelta(seconds=LATEST_ARRIVAL_S), amount)
        if mode in ("late_request", "lost_request"):
            raise SendUnclear
        if id_envio not in self.orders:
            if mode == "refuse":
                raise SendRefused("pagamento_negado")
            self._place(id_envio, amount)
        if mode == "lost_answer":
            raise SendUnclear
        return self._report(id_envio)

    async def find(self, id_envio: str) -> SendReport | None:
        self.arrive()
        if self.deaf:
            raise SendUnclear
        order = self.orders.get(id_envio)
        return self._report(id_envio) if order is not None and order.visible_at <= self.now() else None

    def arrive(self) -> None:
        for id_envio, (at, amount) in list(self.on_the_way.items()):
            if at <= self.now():
                del self.on_the_way[id_envio]
                if id_envio not in self.orders:
                    self._place(id_envio, amount)

    def _place(self, id_envio: str, amount: Decimal) -> None:
        visible_at = self.now() + timedelta(seconds=self.silence_s)
        self.orders[id_envio] = Order(amount=amount, visible_at=visible_at)

    def _report(self, id_envio: str) -> SendReport:
        order = self.orders[id_envio]
        told = [replace(one, return_id=None) if self.nameless else one for one in order.returns]
        return SendReport(state=order.state, amount=order.amount, e2e_id=f"E{id_envio}", returns=tuple(told))

    def settle(self, id_envio: str, state: SendState) -> None:
        self.orders[id_envio] = replace(self.orders[id_envio], state=state)

    def give_back(self, id_envio: str, amount: Decimal) -> None:
        order = self.orders[id_envio]
        one = SendReturn(return_id=f"D{len(order.returns)}x{id_envio}", amount=amount)
        self.orders[id_envio] = replace(order, returns=(*order.returns, one))

    def gone(self, ids: Sequence[str]) -> Decimal:
        """What left the account for these orders and did not come back."""
        live = (self.orders[id_] for id_ in ids if id_ in self.orders)
        return sum(
            (o.amount - sum((r.amount for r in o.returns), ZERO) for o in live if o.state is SendState.DONE),
            ZERO,
        )


@dataclass
class Ledger:
    """Each driver's available and held money; every fact counts once; tells of holds and refusals in order."""

    available: dict[UUID, Decimal] = field(default_factory=dict)
    holds: dict[UUID, Decimal] = field(default_factory=dict)
    paid: Decimal = ZERO
    versions: dict[UUID, int] = field(default_factory=dict)
    counted: set[tuple[str, object]] = field(default_factory=set)
    told: list[tuple[str, UUID, UUID, int]] = field(default_factory=list)

    def hear(self, fact: Fact) -> None:
        match fact:
            case PayoutReady() if self._first("ready", fact.payout_id):
                self._decide(fact)
            case PayoutCompleted() if self._first("completed", fact.payout_id):
                assert self.holds.pop(fact.payout_id) == fact.amount
                self.paid += fact.amount
            case PayoutFailed() if fact.held and self._first("failed", fact.payout_id):
                self._move(fact.driver_id, self.holds.pop(fact.payout_id))
            case PayoutReturned() if self._first("returned", fact.return_id):
                self.paid -= fact.amount
                self._move(fact.driver_id, fact.amount)

    def _first(self, kind: str, key: object) -> bool:
        new = (kind, key) not in self.counted
        self.counted.add((kind, key))
        return new

    def _decide(self, ready: PayoutReady) -> None:
        if ready.amount <= self.available[ready.driver_id]:
            self.holds[ready.payout_id] = ready.amount
            self._move(ready.driver_id, -ready.amount, held=ready.payout_id)
        else:
            version = self.versions[ready.driver_id]
            self.told.append(("refused", ready.driver_id, ready.payout_id, version))

    def _move(self, driver_id: UUID, amount: Decimal, *, held: UUID | None = None) -> None:
        self.available[driver_id] += amount
        assert self.available[driver_id] >= ZERO
        self.versions[driver_id] += 1
        version = self.versions[driver_id]
        if held is not None:
            self.told.append(("held", driver_id, held, version))
        self.told.append(("balance", driver_id, held or driver_id, version))


class WorldDeps(FakeDeps):
    """Every commit is a point at which the process may die."""

    def __init__(self, crashes: Crashes, policy: Policy) -> None:
        super().__init__(policy=policy)
        self.crashes = crashes

    @asynccontextmanager
    async def _in_memory(self) -> AsyncIterator[FakeTx]:
        async with super()._in_memory() as tx:
            yield tx
            self.crashes.point()
        self.crashes.point()


class World:
    """All of it, on one clock; `run` runs a piece of payout that may die underway."""

    def __init__(self, *, resend_after_s: float = 120.0) -> None:
        self.loop = asyncio.new_event_loop()
        self.crashes = Crashes()
        self.deps = WorldDeps(self.crashes, Policy(resend_after_s=resend_after_s))
        self.rows = self.deps.rows
        self.ledger = Ledger()
        self.bank = Bank(now=self.deps.now, crashes=self.crashes, check=self._check_send)
        self.deps.bank = self.bank  # type: ignore[assignment]
        self.heard_by_ledger = 0
        self.heard_by_payout = 0
        self.asked: set[str] = set()

    def close(self) -> None:
        self.loop.close()

    def run(self, work: Awaitable[R], *, crash_at: int | None = None) -> R | None:
        async def guarded() -> R | None:
            try:
                return await work
            except Crash:
                return None

        self.crashes.left = crash_at
        try:
            return self.loop.run_until_complete(guarded())
        finally:
            self.crashes.left = None
            # What a dead process had open died with it.
            self.deps.open_transactions.set(0)

    def hire(self, driver_id: UUID, earned: Decimal) -> None:
        self.ledger.available[driver_id], self.ledger.versions[driver_id] = earned, 1
        self.stand(driver_id, UserStatus.ACTIVE, version=1)
        self._put_balance(driver_id, version=1)

    def stand(self, driver_id: UUID, status: UserStatus, *, version: int) -> None:
        standing = Standing(driver_id=driver_id, status=status, version=version)

        async def put() -> None:
            async with self.deps.transaction() as tx:
                await follow_standing(tx, standing=standing, now=self.deps.now())

        self.run(put())

    def tell_ledger(self, count: int, *, again: int = 0) -> None:
        """The next facts, after some that it has heard already."""
        start = max(0, self.heard_by_ledger - again)
        end = min(len(self.rows.published), self.heard_by_ledger + count)
        for fact in self.rows.published[start:end]:
            self.ledger.hear(fact)
        self.heard_by_ledger = end

    def tell_payout(self, count: int, *, again: int = 0, crash_at: int | None = None) -> None:
        """A transaction a message; after a crash the rest is told again next time."""
        start = max(0, self.heard_by_payout - again)
        for place in range(start, min(len(self.ledger.told), self.heard_by_payout + count)):
            if self.run(self._hear(*self.ledger.told[place]), crash_at=crash_at) is None:
                return
            self.heard_by_payout = max(self.heard_by_payout, place + 1)

    async def _hear(self, kind: str, driver_id: UUID, payout_id: UUID, version: int) -> bool:
        now = self.deps.now()
        async with self.deps.transaction() as tx:
            if kind == "held":
                await hold_payout(tx, payout_id=payout_id, balance_version=version, now=now)
            elif kind == "refused":
                reason = FailureReason.INSUFFICIENT_BALANCE
                await fail_payout(tx, payout_id=payout_id, reason=reason, now=now)
        if kind == "balance":
            self._put(driver_id, version)
        return True

    def _put(self, driver_id: UUID, version: int) -> None:
        # Told late, a balance may be of an older moment than the version says: only the ledger decides.
        known = KnownBalance(driver_id=driver_id, available=self.ledger.available[driver_id], version=version)
        if version > self.rows.balances[driver_id].version:
            self.rows.balances[driver_id] = known

    def _put_balance(self, driver_id: UUID, *, version: int) -> None:
        known = KnownBalance(driver_id=driver_id, available=self.ledger.available[driver_id], version=version)

        async def put() -> None:
            async with self.deps.transaction() as tx:
                await follow_balance(tx, balance=known, now=NOW)

        self.run(put())

    def _check_send(self, id_envio: str, amount: Decimal) -> None:
        assert self.deps.open_transactions.get() == 0, "the bank was called inside a transaction"
        payout = self.rows.payouts[UUID(id_envio)]
        assert payout.sent_as == id_envio, "one idEnvio a payout"
        attempts = [one for owner, one in self.rows.attempts.values() if owner == payout.id]
        assert {one.id_envio for one in attempts} == {id_envio}, "stored before"
        assert self.ledger.holds.get(payout.id) == amount == payout.amount, "never more than is held"
        if len(attempts) == 1:
            assert self.rows.standings[payout.driver_id].active, "nothing is begun for the suspended"
        self.asked.add(id_envio)
