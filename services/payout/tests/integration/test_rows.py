"""What the repositories write, and what the database refuses."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from payout_fakes import FakeDeps, payout_at

from contracts.payout import PayoutCompleted, PayoutReturned
from devstack import folders
from kernel.ids import new_id
from payout.adapters.payouts import StalePayout
from payout.domain.known_balance import KnownBalance
from payout.domain.payout import Payout
from payout.domain.policy import Policy
from payout.domain.send import Outcome, SendState
from payout.domain.step import Step
from payout.effects.poll_sends import poll_sends
from payout.effects.process_payout import process_payout
from storage import Database, DatabaseSettings, migrations
from testkit.apart import in_thread
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.outbox import published


async def add(database: Database[Any], payout: Payout, clock: FakeClock) -> Payout:
    async with database.transaction() as tx:
        await tx.payouts.add(payout, due_at=clock.now())
    return payout


async def read(database: Database[Any], payout: Payout) -> Payout:
    async with database.transaction() as tx:
        found: Payout | None = await tx.payouts.get(payout.id)
    assert found is not None
    return found


async def test_a_payout_comes_back_as_it_was_written(database: Database[Any], clock: FakeClock) -> None:
    for step in Step:
        payout = await add(database, payout_at(step), clock)
        assert await read(database, payout) == payout


async def test_a_stale_payout_is_not_written(database: Database[Any], clock: FakeClock) -> None:
    payout = await add(database, payout_at(Step.READY), clock)
    held = payout.hold(balance_version=1)
    async with database.transaction() as tx:
        await tx.payouts.save(held, due_at=None)
        with pytest.raises(StalePayout):
            await tx.payouts.save(held, due_at=None)


async def test_due_payouts_are_claimed_once(database: Database[Any], clock: FakeClock) -> None:
    made = [await add(database, payout_at(Step.HELD), clock) for _ in range(20)]
    now, until = clock.now(), clock.now() + timedelta(seconds=90)

    async def claim() -> list[Payout]:
        async with database.transaction() as tx:
            return list(await tx.payouts.claim_due({Step.HELD}, now=now, until=until, limit=5))

    claimed = [payout.id for batch in await asyncio.gather(*(claim() for _ in range(8))) for payout in batch]
    assert sorted(claimed) == sorted(payout.id for payout in made)
    assert await claim() == []


async def test_what_is_asked_for_follows_the_balance(database: Database[Any], clock: FakeClock) -> None:
    driver_id = new_id()
    for step in (Step.REQUESTED, Step.READY, Step.HELD, Step.COMPLETED, Step.FAILED):
        await add(database, payout_at(step, driver_id=driver_id, amount="10.00"), clock)
    async with database.transaction() as tx:
        # Holds are part of version 2 of the balance.
        assert await tx.payouts.asked_for(driver_id, beyond_version=1) == Decimal("40.00")
        assert await tx.payouts.asked_for(driver_id, beyond_version=2) == Decimal("20.00")
        assert await tx.payouts.asked_for(new_id(), beyond_version=0) == Decimal("0.00")


async def test_only_newer_balances_are_kept(database: Database[Any], clock: FakeClock) -> None:
    driver_id = new_id()

    def balance(available: str, version: int) -> KnownBalance:
        return KnownBalance(driver_id=driver_id, available=Decimal(available), version=version)

    async with database.transaction() as tx:
        assert await tx.balances.put(balance("10.00", 2), now=clock.now())
        assert not await tx.balances.put(balance("20.00", 1), now=clock.now())
        assert await tx.balances.put(balance("30.00", 3), now=clock.now())
        assert await tx.balances.lock(driver_id) == balance("30.00", 3)
        assert (await tx.balances.lock(new_id())).version == 0


async def test_attempts_leave_a_doubt_until_they_are_answered(
    database: Database[Any], clock: FakeClock
) -> None:
    for outcome, doubt in (
        (Outcome.UNCLEAR, clock.now()),
        (Outcome.NOT_MADE, None),
        (Outcome.ANSWERED, None),
        (Outcome.REFUSED, None),
    ):
        payout, attempt_id = await add(database, payout_at(Step.SENDING), clock), new_id()
        async with database.transaction() as tx:
            assert await tx.attempts.last_unclear_at(payout.id) is None
            await tx.attempts.start(payout, attempt_id=attempt_id, now=clock.now())
            assert await tx.attempts.last_unclear_at(payout.id) == clock.now()
            await tx.attempts.finish(attempt_id, outcome=outcome, code=None, now=clock.now())
            assert await tx.attempts.last_unclear_at(payout.id) == doubt


async def test_a_crash_between_send_and_store_makes_no_second_send(
    database: Database[Any], clock: FakeClock, urls: DatabaseUrls
) -> None:
    """On the real tables: what was not committed is lost, what was is enough."""
    payout = await add(database, payout_at(Step.HELD, at=clock.now()), clock)
    deps = FakeDeps(clock=clock, transaction=database.transaction, policy=Policy(resend_after_s=5))

    class Crash(Exception):
        pass

    async def die() -> None:
        raise Crash

    deps.bank.before_answer = die
    with pytest.raises(Crash):
        await process_payout(deps)
    deps.bank.before_answer = None
    clock.advance(deps.policy.lease_s)
    await process_payout(deps)
    deps.bank.decide(payout.id.hex, SendState.DONE)
    deps.bank.give_back(payout.id.hex, "20.00", "30.00")
    clock.advance(300)
    await poll_sends(deps)

    assert [call for call in deps.bank.calls if call.startswith("send")] == [f"send {payout.id.hex}"]
    assert (await read(database, payout)).step is Step.RETURNED
    kinds = [type(fact) for fact, _, _ in await published(urls)]
    assert (kinds.count(PayoutCompleted), kinds.count(PayoutReturned)) == (1, 2)


ATTACKS = (
    "UPDATE payouts SET amount = 2",
    "UPDATE payouts SET id_envio = 'other'",
    "UPDATE payouts SET id_envio = NULL, status = 'PENDING', completed_at = NULL",
    "UPDATE payouts SET driver_id = gen_random_uuid()",
    "UPDATE payouts SET status = 'PENDING'",
    "UPDATE payouts SET returned = amount + 1",
    "DELETE FROM payouts",
    "TRUNCATE payouts CASCADE",
    "DELETE FROM payout_attempts",
)
REFUSED = (
    asyncpg.RestrictViolationError,
    asyncpg.CheckViolationError,
    asyncpg.InsufficientPrivilegeError,
)


async def test_the_database_keeps_what_money_rests_on(
    database: Database[Any], clock: FakeClock, urls: DatabaseUrls
) -> None:
    await add(database, payout_at(Step.COMPLETED), clock)
    connection = await asyncpg.connect(urls.app_url)
    try:
        for attack in ATTACKS:
            with pytest.raises(REFUSED):
                await connection.execute(attack)
    finally:
        await connection.close()


async def test_the_migrations_run_back_and_forth(make_database: Callable[[str], DatabaseUrls]) -> None:
    urls = make_database("payout")
    settings = DatabaseSettings(database_url=urls.app_url, database_owner_url=urls.owner_url)
    folder = folders.ROOT / "services" / "payout"
    in_thread(lambda: migrations.downgrade(folder, settings))
    in_thread(lambda: migrations.run(folder, settings))
    connection = await asyncpg.connect(urls.app_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM payouts") == 0
    finally:
        await connection.close()
