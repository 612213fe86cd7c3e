"""The books are checked page by page, from where they were found sound."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from ledger_books import NOW, confirmed
from ledger_fakes import FakeTx

from ledger.domain.anchor import Anchor
from ledger.effects.verify_books import WHOLE_EVERY, verify_books
from ledger.usecases.settle_payment import settle_payment
from ledger.usecases.verify_balances import verify_balances
from ledger.usecases.verify_seals import PAGE, verify_seals

LONG = 2 * PAGE + 1


@dataclass
class FakeDeps:
    """Counts its transactions."""

    tx: FakeTx = field(default_factory=FakeTx)
    at: datetime = NOW
    opened: int = 0

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[FakeTx]:
        self.opened += 1
        yield self.tx

    def now(self) -> datetime:
        return self.at


async def post(tx: FakeTx, links: int = 1) -> None:
    for _ in range(links):
        await settle_payment(tx, paid=confirmed(), now=NOW)
        await tx.commit()
        tx.seals.link()


@pytest.fixture
def deps() -> FakeDeps:
    return FakeDeps()


async def test_a_long_chain_is_read_a_page_at_a_time(deps: FakeDeps) -> None:
    tx = deps.tx
    await post(tx, LONG)
    first = await verify_seals(tx, most_pages=1)
    assert (first.seals, first.more, first.fault) == (PAGE, True, None)
    second = await verify_seals(tx, since=first.last, most_pages=1)
    assert (second.seals, second.more) == (2 * PAGE, True)
    rest = await verify_seals(tx, since=second.last, most_pages=1)
    assert (rest.seals, rest.journals, rest.more, rest.fault) == (LONG, LONG, False, None)
    at_the_end = await verify_seals(tx, since=rest.last, most_pages=1)
    assert (at_the_end.seals, at_the_end.head, at_the_end.more) == (LONG, rest.head, False)
    assert (await verify_seals(tx)).seals == LONG


async def test_what_follows_a_seal_that_is_another_now_is_not_believed(deps: FakeDeps) -> None:
    tx = deps.tx
    await post(tx, 3)
    known = tx.seals.chain[1]
    tx.seals.chain[1] = replace(known, hash=bytes(32))
    verdict = await verify_seals(tx, since=known)
    assert (verdict.broken_seq, verdict.fault) == (2, "is not what it was when it was verified")


async def test_anchors_of_what_was_verified_before_are_passed_over(deps: FakeDeps) -> None:
    await post(deps.tx, 3)
    anchors = [Anchor.of(seal) for seal in deps.tx.seals.chain]
    verdict = await verify_seals(deps.tx, since=deps.tx.seals.chain[1], anchors=anchors)
    assert (verdict.seals, verdict.anchors, verdict.fault) == (3, 1, None)


async def test_wrong_accounts_and_a_difference_are_faults(deps: FakeDeps) -> None:
    await post(deps.tx)
    assert (await verify_balances(deps.tx)).faults == 0
    deps.tx.balances.wrong = ["1100", "2100"]
    verdict = await verify_balances(deps.tx)
    assert (verdict.faults, verdict.difference) == (2, Decimal(0))


async def test_a_check_goes_on_where_the_last_one_ended_and_is_whole_once_a_day(deps: FakeDeps) -> None:
    await post(deps.tx, LONG)
    first = await verify_books(deps)
    assert (first.faults, first.last, first.whole_at) == (0, deps.tx.seals.chain[-1], NOW)
    assert deps.opened == 3 + 1  # pages, and the balances

    await post(deps.tx)
    deps.opened, deps.at = 0, NOW + timedelta(hours=1)
    second = await verify_books(deps, before=first)
    assert (second.faults, second.last, second.whole_at) == (0, deps.tx.seals.chain[-1], NOW)
    assert deps.opened == 1 + 1

    deps.opened, deps.at = 0, NOW + WHOLE_EVERY
    third = await verify_books(deps, before=second)
    assert (third.faults, third.whole_at) == (0, deps.at)
    assert deps.opened == 3 + 1


async def test_a_chain_made_anew_is_found_by_what_was_seen_of_it(deps: FakeDeps) -> None:
    """Its links follow from each other, and from what is posted now."""
    await post(deps.tx, 2)
    before = await verify_books(deps)
    deps.tx = FakeTx()
    await post(deps.tx, 2)
    deps.at = NOW + WHOLE_EVERY
    after = await verify_books(deps, before=before)
    assert after.faults == 1
    assert (await verify_books(deps)).faults == 0


async def test_a_chain_that_is_shorter_than_it_was_is_found(deps: FakeDeps) -> None:
    await post(deps.tx, 2)
    before = await verify_books(deps)
    deps.tx = FakeTx()
    await post(deps.tx)
    for later in (timedelta(hours=1), WHOLE_EVERY):
        deps.at = NOW + later
        assert (await verify_books(deps, before=before)).faults == 1
