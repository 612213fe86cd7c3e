"""What the ledger does by the clock.

Jobs that write are run by one worker at a time. Jobs that measure for Prometheus are run by every worker, and each
tells the same, from the database: a gauge that only the writer moved would stay as it was when another takes over.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from functools import partial
from math import nan
from typing import Final, Protocol

from kernel.business_day import business_day
from kernel.ids import new_id
from ledger.domain.anchor import Anchor
from ledger.domain.cases import CaseKind
from ledger.domain.chart import account
from ledger.domain.trial_balance import trial_difference
from ledger.effects.verify_books import Checked, verify_books
from ledger.metrics import (
    ACCOUNT_BALANCE,
    ANCHORED_SEQ,
    BOOKS_FAULTS,
    BOOKS_VERIFIED_AT,
    DEFAULT_PARTITION,
    OPEN_CASES,
    PARTITION_DAYS_AHEAD,
    TRIAL_BALANCE,
)
from ledger.ports import Tx
from ledger.usecases.anchor_seals import anchor_seals
from ledger.usecases.calculate_running_balances import calculate_running_balances
from ledger.usecases.make_partitions import make_partitions
from ledger.usecases.recheck_statements import recheck_statements
from ledger.usecases.take_day_snapshots import take_day_snapshots
from messaging import Schedule
from telemetry import get_logger

log = get_logger(__name__)

WATCH_S: Final = 15.0
STALE_AFTER: Final = 2.5


class Deps(Protocol):
    """What the jobs work with."""

    @property
    def transaction(self) -> Callable[[], AbstractAsyncContextManager[Tx]]: ...
    @property
    def reading(self) -> Callable[[], AbstractAsyncContextManager[Tx]]: ...
    @property
    def partition_days_ahead(self) -> int: ...
    @property
    def recheck_grace_s(self) -> float: ...
    @property
    def recheck_balance_s(self) -> float: ...
    @property
    def recheck_flight_s(self) -> float: ...
    @property
    def idempotency_keep_s(self) -> float: ...

    def now(self) -> datetime: ...

    def signed(self, line: str) -> str: ...


class BooksCheck:
    """The last check of the books by this worker, from which the next one goes on."""

    def __init__(self, deps: Deps, *, every_s: float) -> None:
        self._deps = deps
        self._stale_after = timedelta(seconds=STALE_AFTER * every_s)
        self._last: Checked | None = None

    async def run(self) -> None:
        """Check the books, and show what was found."""
        self._last = await verify_books(self._deps, before=self._last)
        BOOKS_VERIFIED_AT.set(self._last.at.timestamp())
        BOOKS_FAULTS.set(self._last.faults)

    async def forget(self) -> int:
        """Show the finding no longer once another worker does the checks; when it was made stays shown."""
        if self._last is not None and self._deps.now() - self._last.at > self._stale_after:
            BOOKS_FAULTS.set(nan)
        return 0


async def fold(deps: Deps) -> None:
    """Move the running balances forward."""
    async with deps.transaction() as tx:
        await calculate_running_balances(tx, now=deps.now())


async def watch_balances(deps: Deps) -> int:
    """Show all balances, and what they add up to."""
    async with deps.transaction() as tx:
        balances = await tx.balances.all_accounts()
    for code, balance in balances.items():
        ACCOUNT_BALANCE.labels(account=account(code).name).set(float(balance))
    TRIAL_BALANCE.set(float(trial_difference(balances)))
    return 0


async def anchor(deps: Deps) -> None:
    """Tell the newest hash outside: on its own topic, and as a signed line in the log."""
    async with deps.transaction() as tx:
        seal = await anchor_seals(tx)
    if seal is not None:
        ANCHORED_SEQ.set(seal.seq)
        log.info("anchor_seals", anchor=deps.signed(Anchor.of(seal).line()), seq=seal.seq)


async def prepare_partitions(deps: Deps) -> None:
    async with deps.transaction() as tx:
        await make_partitions(tx, days_ahead=deps.partition_days_ahead, now=deps.now())


async def watch_partitions(deps: Deps) -> int:
    """Show how far the partitions reach, and what went past them."""
    async with deps.transaction() as tx:
        room = await tx.journals.partition_room(today=business_day(deps.now()))
    PARTITION_DAYS_AHEAD.set(room.days_ahead)
    DEFAULT_PARTITION.set(room.in_default)
    return 0


async def snapshot(deps: Deps) -> None:
    """Keep the balances of the days that are over, a day a transaction."""
    taken = 1
    while taken:
        async with deps.transaction() as tx:
            taken = await take_day_snapshots(tx, now=deps.now())


async def recheck(deps: Deps) -> None:
    """Compare again what did not match."""
    async with deps.transaction() as tx:
        await recheck_statements(
            tx,
            grace_s=deps.recheck_grace_s,
            balance_s=deps.recheck_balance_s,
            flight_s=deps.recheck_flight_s,
            new_id=new_id,
            now=deps.now(),
        )


async def watch_cases(deps: Deps) -> int:
    """Show how many cases of each kind are open."""
    async with deps.transaction() as tx:
        open_cases = await tx.cases.open_by_kind()
    for kind in CaseKind:
        OPEN_CASES.labels(kind=kind.value).set(open_cases.get(kind, 0))
    return 0


async def forget_answers(deps: Deps) -> None:
    """Drop the stored answers of old idempotent requests."""
    async with deps.transaction() as tx:
        await tx.forget_answers(before=deps.now() - timedelta(seconds=deps.idempotency_keep_s))


def timetable(
    deps: Deps,
    *,
    fold_every_s: float,
    anchor_every_s: float,
    partition_every_s: float,
    snapshot_every_s: float,
    recheck_every_s: float,
    verify_books_every_s: float,
) -> Mapping[Schedule, Callable[[], Awaitable[object]]]:
    """The jobs at this deployment's intervals."""
    check = BooksCheck(deps, every_s=verify_books_every_s)
    return {
        Schedule(name="calculate_running_balances", every_s=fold_every_s): partial(fold, deps),
        Schedule(name="anchor_seals", every_s=anchor_every_s): partial(anchor, deps),
        Schedule(name="make_partitions", every_s=partition_every_s): partial(prepare_partitions, deps),
        Schedule(name="take_day_snapshots", every_s=snapshot_every_s): partial(snapshot, deps),
        Schedule(name="recheck_statements", every_s=recheck_every_s): partial(recheck, deps),
        Schedule(name="verify_books", every_s=verify_books_every_s): check.run,
        Schedule(name="forget_answers", every_s=3600.0): partial(forget_answers, deps),
        _watch("watch_balances"): partial(watch_balances, deps),
        _watch("watch_partitions"): partial(watch_partitions, deps),
        _watch("watch_cases"): partial(watch_cases, deps),
        _watch("watch_books_check"): check.forget,
    }


def _watch(name: str) -> Schedule:
    return Schedule(name=name, every_s=WATCH_S, exclusive=False)
