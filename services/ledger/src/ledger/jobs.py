"""What the ledger does by the clock."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from ledger.domain.chart import account
from ledger.domain.trial_balance import trial_difference
from ledger.metrics import ACCOUNT_BALANCE, TRIAL_BALANCE
from ledger.ports import Tx
from ledger.usecases.calculate_running_balances import calculate_running_balances
from ledger.usecases.make_partitions import make_partitions
from ledger.usecases.seal_journals import seal_journals
from messaging import Schedule

SEAL_JOURNALS: Final = 5000


class Deps(Protocol):
    """What the jobs work with."""

    @property
    def transaction(self) -> Callable[[], AbstractAsyncContextManager[Tx]]: ...
    @property
    def partition_days_ahead(self) -> int: ...

    def now(self) -> datetime: ...


async def fold(deps: Deps) -> None:
    """Move the running balances forward and show all balances to Prometheus."""
    async with deps.transaction() as tx:
        await calculate_running_balances(tx, now=deps.now())
    async with deps.transaction() as tx:
        balances = await tx.balances.all_accounts()
    for code, balance in balances.items():
        ACCOUNT_BALANCE.labels(account=account(code).name).set(float(balance))
    TRIAL_BALANCE.set(float(trial_difference(balances)))


async def seal(deps: Deps) -> None:
    """Seal piece by piece until nothing is left."""
    sealed = True
    while sealed:
        async with deps.transaction() as tx:
            sealed = await seal_journals(tx, limit=SEAL_JOURNALS, now=deps.now()) is not None


async def prepare_partitions(deps: Deps) -> None:
    async with deps.transaction() as tx:
        await make_partitions(tx, days_ahead=deps.partition_days_ahead, now=deps.now())


def timetable(
    deps: Deps, *, fold_every_s: float, seal_every_s: float, partition_every_s: float
) -> Mapping[Schedule, Callable[[], Awaitable[None]]]:
    """The jobs at this deployment's intervals."""
    return {
        Schedule(name="calculate_running_balances", every_s=fold_every_s): partial(fold, deps),
        Schedule(name="seal_journals", every_s=seal_every_s): partial(seal, deps),
        Schedule(name="make_partitions", every_s=partition_every_s): partial(prepare_partitions, deps),
    }
