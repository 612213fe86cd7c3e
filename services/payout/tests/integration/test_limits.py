"""Limits, standings and the cooling of Pix keys over HTTP, on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from payout_fakes import FakeDeps

from contracts.identity import UserStatus
from contracts.payout import PayoutFailed
from kernel.ids import new_id
from payout.domain.bank_details import Payee
from payout.domain.known_balance import KnownBalance
from payout.domain.policy import Policy
from payout.domain.standing import Standing
from payout.domain.step import FailureReason
from payout.effects.process_payout import process_payout
from payout.effects.take_bank_snapshot import take_bank_snapshot
from payout.main import build
from payout.settings import Settings
from payout.usecases.fail_payout import fail_payout
from payout.usecases.follow_balance import follow_balance
from payout.usecases.follow_standing import follow_standing
from payout.usecases.hold_payout import hold_payout
from storage import Database
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.outbox import published
from testkit.tokens import Tokens

NOON_TO_MIDNIGHT_S = 12 * 3600


class Desk:
    """Payout's api under some settings, and drivers with money."""

    def __init__(
        self, client: httpx.AsyncClient, tokens: Tokens, database: Database[Any], clock: FakeClock
    ) -> None:
        self._client, self._tokens = client, tokens
        self.database, self.clock = database, clock

    async def driver(self, changed_at: datetime | None = None) -> UUID:
        driver_id = new_id()
        balance = KnownBalance(driver_id=driver_id, available=Decimal("1000.00"), version=1)
        async with self.database.transaction() as tx:
            await follow_balance(tx, balance=balance, now=self.clock.now())
        await self.stand(driver_id, version=1, changed_at=changed_at)
        return driver_id

    async def stand(
        self,
        driver_id: UUID,
        status: UserStatus = UserStatus.ACTIVE,
        *,
        version: int,
        changed_at: datetime | None = None,
    ) -> None:
        standing = Standing(
            driver_id=driver_id, status=status, pix_key_changed_at=changed_at, version=version
        )
        async with self.database.transaction() as tx:
            await follow_standing(tx, standing=standing, now=self.clock.now())

    async def ask(self, driver_id: UUID, amount: str, key: str | None = None) -> httpx.Response:
        headers = {**self._tokens.headers(driver_id, "driver"), "Idempotency-Key": key or new_id().hex}
        return await self._client.post("/payouts", json={"amount": amount}, headers=headers)

    async def codes(self, asked: list[Awaitable[httpx.Response]]) -> list[tuple[int, str | None]]:
        answers = await asyncio.gather(*asked)
        return sorted((one.status_code, _which(one)) for one in answers)


def _which(answer: httpx.Response) -> str | None:
    if answer.status_code == 201:
        return None
    body = answer.json()
    assert body["code"] == "payout_limit_reached"
    return str(body["errors"][0]["code"])


OpenDesk = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def open_desk(
    settings: Settings, database: Database[Any], clock: FakeClock, tokens: Tokens
) -> AsyncIterator[OpenDesk]:
    async with AsyncExitStack() as stack:

        async def opened(**changes: Any) -> Desk:
            changed = settings.model_copy(update={"pix_key_cooling_s": 0.0, **changes})
            app = build(changed, mode="api", clock=clock, verifier=tokens.verifier())
            await stack.enter_async_context(app.router.lifespan_context(app))
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://payout")
            await stack.enter_async_context(client)
            return Desk(client, tokens, database, clock)

        yield opened


async def test_twenty_requests_at_once_take_three_places(open_desk: OpenDesk) -> None:
    desk = await open_desk(payout_driver_day_count=3)
    driver_id = await desk.driver()
    codes = await desk.codes([desk.ask(driver_id, "10.00") for _ in range(20)])
    assert codes == [(201, None)] * 3 + [(409, "driver_day_count")] * 17
    other = await desk.driver()
    assert (await desk.ask(other, "10.00")).status_code == 201


async def test_a_days_sum_is_never_exceeded_by_a_race(open_desk: OpenDesk) -> None:
    desk = await open_desk(payout_driver_day_sum_brl=Decimal("25.00"))
    driver_id = await desk.driver()
    codes = await desk.codes([desk.ask(driver_id, "10.00") for _ in range(10)])
    assert codes == [(201, None)] * 2 + [(409, "driver_day_sum")] * 8
    assert (await desk.ask(driver_id, "5.00")).status_code == 201


async def test_the_platforms_last_place_goes_to_one_of_many_drivers(open_desk: OpenDesk) -> None:
    desk = await open_desk(payout_platform_day_count=4, payout_platform_day_sum_brl=Decimal("999.00"))
    drivers = [await desk.driver() for _ in range(12)]
    codes = await desk.codes([desk.ask(driver_id, "10.00") for driver_id in drivers])
    assert codes == [(201, None)] * 4 + [(409, "platform_day_count")] * 8


async def test_a_failed_payout_gives_its_place_back(open_desk: OpenDesk) -> None:
    desk = await open_desk(payout_driver_day_count=1)
    driver_id = await desk.driver()
    first = (await desk.ask(driver_id, "10.00")).json()["id"]
    refused = await desk.ask(driver_id, "10.00", "k2")
    assert refused.status_code == 409
    assert refused.headers["retry-after"] == str(NOON_TO_MIDNIGHT_S + 1)
    async with desk.database.transaction() as tx:
        await fail_payout(tx, payout_id=UUID(first), reason=FailureReason.NO_PIX_KEY, now=desk.clock.now())
    # The same key may be tried again: a full day is no final answer.
    assert (await desk.ask(driver_id, "10.00", "k2")).status_code == 201


async def test_tomorrow_in_sao_paulo_is_another_day(open_desk: OpenDesk) -> None:
    desk = await open_desk(payout_driver_day_count=1)
    driver_id = await desk.driver()
    desk.clock.advance(NOON_TO_MIDNIGHT_S - 1)
    assert (await desk.ask(driver_id, "10.00")).status_code == 201
    assert (await desk.ask(driver_id, "10.00")).status_code == 409
    desk.clock.advance(1)
    assert (await desk.ask(driver_id, "10.00")).status_code == 201


async def test_one_payout_has_a_most(open_desk: OpenDesk) -> None:
    desk = await open_desk(payout_maximum_brl=Decimal("50.00"))
    answer = await desk.ask(await desk.driver(), "50.01")
    assert (answer.status_code, answer.json()["code"]) == (422, "amount_above_maximum")


async def test_the_suspended_are_refused_until_they_are_reinstated(open_desk: OpenDesk) -> None:
    desk = await open_desk()
    driver_id = await desk.driver()
    for version, status in ((2, UserStatus.SUSPENDED), (3, UserStatus.BANNED)):
        await desk.stand(driver_id, status, version=version)
        answer = await desk.ask(driver_id, "10.00", "k")
        assert (answer.status_code, answer.json()["code"]) == (403, "account_not_active")
    await desk.stand(driver_id, version=4)
    assert (await desk.ask(driver_id, "10.00", "k")).status_code == 201


async def test_a_driver_nobody_told_of_is_not_yet_known(open_desk: OpenDesk) -> None:
    desk = await open_desk()
    answer = await desk.ask(new_id(), "10.00")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_yet_known")
    assert answer.headers["retry-after"] == "1"


async def test_a_new_key_is_not_paid_to_for_a_day(open_desk: OpenDesk) -> None:
    desk = await open_desk(pix_key_cooling_s=86_400.0)
    driver_id = await desk.driver(changed_at=desk.clock.now() - timedelta(hours=1))
    answer = await desk.ask(driver_id, "10.00", "k")
    assert (answer.status_code, answer.json()["code"]) == (409, "pix_key_cooling_down")
    assert answer.headers["retry-after"] == str(23 * 3600)
    desk.clock.advance(23 * 3600)
    assert (await desk.ask(driver_id, "10.00", "k")).status_code == 201


def test_a_new_key_waits_a_day_and_an_unknown_send_two_minutes_unless_told_otherwise(
    settings: Settings,
) -> None:
    assert (settings.pix_key_cooling_s, settings.payout_resend_after_s) == (86_400.0, 120.0)


async def outcome(urls: DatabaseUrls) -> list[tuple[str, bool]]:
    facts = [fact for fact, _, _ in await published(urls, of=PayoutFailed)]
    return [(fact.reason, fact.held) for fact in facts if isinstance(fact, PayoutFailed)]


async def test_a_key_that_changes_after_the_request_fails_the_payout(
    open_desk: OpenDesk, urls: DatabaseUrls
) -> None:
    """Identity's own answer tells, though no profile has arrived yet."""
    desk = await open_desk(pix_key_cooling_s=86_400.0)
    driver_id = await desk.driver(changed_at=desk.clock.now() - timedelta(days=9))
    assert (await desk.ask(driver_id, "10.00")).status_code == 201
    policy = Policy(pix_key_cooling_s=86_400.0)
    deps = FakeDeps(clock=desk.clock, transaction=desk.database.transaction, policy=policy)
    details = deps.directory.payee_now and deps.directory.payee_now.details
    deps.directory.payee_now = Payee(details=details, pix_key_changed_at=desk.clock.now())
    await take_bank_snapshot(deps)
    assert await outcome(urls) == [("pix_key_cooling_down", False)]


async def test_a_suspension_before_the_snapshot_fails_the_payout(
    open_desk: OpenDesk, urls: DatabaseUrls
) -> None:
    desk = await open_desk()
    driver_id = await desk.driver()
    assert (await desk.ask(driver_id, "10.00")).status_code == 201
    await desk.stand(driver_id, UserStatus.SUSPENDED, version=2)
    await take_bank_snapshot(FakeDeps(clock=desk.clock, transaction=desk.database.transaction))
    assert await outcome(urls) == [("account_not_active", False)]


async def test_a_suspension_before_the_send_gives_the_hold_back(
    open_desk: OpenDesk, urls: DatabaseUrls
) -> None:
    desk = await open_desk()
    driver_id = await desk.driver()
    payout_id = UUID((await desk.ask(driver_id, "10.00")).json()["id"])
    deps = FakeDeps(clock=desk.clock, transaction=desk.database.transaction)
    await take_bank_snapshot(deps)
    async with desk.database.transaction() as tx:
        await hold_payout(tx, payout_id=payout_id, balance_version=2, now=desk.clock.now())
    await desk.stand(driver_id, UserStatus.BANNED, version=2)
    assert await process_payout(deps) == 1
    assert await outcome(urls) == [("account_not_active", True)]
    assert deps.bank.calls == []
