"""Check the books against themselves: the chain, all entries, and every balance that is kept."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from ledger.domain.anchor import Anchor
from ledger.domain.seal import Seal
from ledger.ports import Tx
from ledger.usecases.verify_balances import BalanceVerdict, verify_balances
from ledger.usecases.verify_seals import Verdict, verify_seals
from telemetry import get_logger

log = get_logger(__name__)

WHOLE_EVERY: Final = timedelta(days=1)


class Deps(Protocol):
    """What the check works with."""

    @property
    def reading(self) -> Callable[[], AbstractAsyncContextManager[Tx]]: ...

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A check: when it ended, how much was wrong, the last seal that holds, when the whole chain was last walked."""

    at: datetime
    faults: int
    last: Seal | None
    whole_at: datetime


async def verify_books(deps: Deps, *, before: Checked | None = None) -> Checked:
    """The chain from where `before` ended on, once a day from its beginning; entries and balances always whole.

    No transaction is longer than one page of the chain or one sum: each reads one moment of its own.
    """
    started = deps.now()
    whole = before is None or started - before.whole_at >= WHOLE_EVERY
    chain = await _walk(deps, known=before.last if before else None, whole=whole)
    async with deps.reading() as tx:
        await tx.at_one_moment()
        balances = await verify_balances(tx)
    _tell(chain, balances)
    return Checked(
        at=deps.now(),
        faults=balances.faults + (chain.fault is not None),
        last=chain.last,
        whole_at=started if before is None or whole else before.whole_at,
    )


async def _walk(deps: Deps, *, known: Seal | None, whole: bool) -> Verdict:
    """Page by page. What was found sound before is an anchor that no database holds: a chain made anew differs."""
    since = None if whole else known
    anchors = (Anchor.of(known),) if known else ()
    while True:
        async with deps.reading() as tx:
            await tx.at_one_moment()
            verdict = await verify_seals(tx, anchors=anchors, since=since, most_pages=1)
        if not verdict.more:
            return verdict
        since = verdict.last


def _tell(chain: Verdict, balances: BalanceVerdict) -> None:
    if chain.fault is not None:
        log.error("books_chain_broken", seal=chain.broken_seq, batch=chain.batch, fault=chain.fault)
    if balances.faults:
        log.error(
            "books_do_not_balance",
            difference=str(balances.difference),
            account=next(iter(balances.wrong_accounts), None),
            accounts=len(balances.wrong_accounts),
        )
