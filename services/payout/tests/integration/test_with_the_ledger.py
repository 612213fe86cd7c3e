"""The saga on real Kafka with the real ledger deciding; only identity and the bank are made by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from ledger_books import assert_sound, confirmed, query, trial_balance
from payout_fakes import FakeDeps

import ledger.main
import messaging
import payout.main
from contracts.identity import Profile, UserStatus, UserType
from contracts.payment import SendReported
from kernel.clock import SystemClock
from kernel.ids import new_id
from ledger.adapters.transaction import LedgerTransaction
from ledger.usecases.get_driver_balance import get_driver_balance
from messaging import KafkaSettings
from payout.adapters.transaction import PayoutTransaction
from payout.consumers import HANDLERS
from payout.domain.policy import Policy
from payout.domain.send import SendRefused, SendState
from payout.domain.standing import Standing
from payout.jobs import timetable
from payout.settings import Settings
from payout.usecases.follow_standing import follow_standing
from storage import Database, DatabaseSettings
from testkit.databases import DatabaseUrls
from testkit.tokens import Tokens
from testkit.waiting import eventually


@dataclass
class System:
    books: Database[LedgerTransaction]
    books_urls: DatabaseUrls
    urls: DatabaseUrls
    client: httpx.AsyncClient
    deps: FakeDeps
    tokens: Tokens

    async def earn(self, driver_id: UUID, amount: str) -> None:
        """A confirmed payment of a driver, published by the ledger's own relay, until payout knows of it."""
        async with self.books.transaction() as tx:
            await tx.publish(confirmed(amount, commission="0.00", driver_id=driver_id))

        async def known() -> bool:
            rows = await query(self.urls, "SELECT 1 FROM driver_balances WHERE driver_id = $1", driver_id)
            return bool(rows)

        await eventually(known, 30)
        async with self.deps.transaction() as tx:
            await follow_standing(tx, standing=Standing(driver_id=driver_id), now=self.deps.now())

    async def ask(self, driver_id: UUID, amount: str) -> httpx.Response:
        headers = {**self.tokens.headers(driver_id, "driver"), "Idempotency-Key": new_id().hex}
        return await self.client.post("/payouts", json={"amount": amount}, headers=headers)

    async def statuses(self, driver_id: UUID) -> dict[tuple[str, str | None], int]:
        rows = await query(
            self.urls,
            "SELECT status, failure_reason, count(*) FROM payouts WHERE driver_id = $1 GROUP BY 1, 2",
            driver_id,
        )
        return {(row["status"], row["failure_reason"]): row["count"] for row in rows}

    async def until(self, driver_id: UUID, **wanted: int) -> None:
        async def there() -> bool:
            found = await self.statuses(driver_id)
            counts = {name: sum(n for (s, _), n in found.items() if s == name) for name in wanted}
            assert counts == wanted
            return True

        await eventually(there, 40)

    async def balance(self, driver_id: UUID) -> tuple[Decimal, Decimal]:
        async with self.books.reading() as tx:
            found = await get_driver_balance(tx, driver_id=driver_id)
        return found.available, found.on_hold


@pytest.fixture
async def system(
    make_database: Callable[[str], DatabaseUrls],
    urls: DatabaseUrls,
    settings: Settings,
    kafka_settings: KafkaSettings,
    tokens: Tokens,
) -> AsyncIterator[System]:
    books_urls = make_database("ledger")
    kafka: dict[str, Any] = kafka_settings.model_dump(exclude_unset=True)
    ledger_app = ledger.main.build(
        ledger.main.Settings(database_url=books_urls.app_url, **kafka), mode="worker"
    )
    api = payout.main.build(settings, mode="api", verifier=tokens.verifier())
    books = Database(
        DatabaseSettings(database_url=books_urls.app_url), service="ledger", make=LedgerTransaction
    )
    own = Database(DatabaseSettings(database_url=urls.app_url), service="payout", make=PayoutTransaction)
    deps = FakeDeps(
        transaction=own.transaction, policy=Policy(first_poll_s=0.1, janitor_s=0.5, resend_after_s=5)
    )
    deps.clock = SystemClock()  # type: ignore[assignment]
    worker = messaging.Worker(
        database=own,
        settings=kafka_settings,
        service="payout",
        handlers=HANDLERS,
        jobs=timetable(deps, every_s=0.05),
    )
    await worker.start()
    async with (
        ledger_app.router.lifespan_context(ledger_app),
        api.router.lifespan_context(api),
        httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://payout") as client,
    ):
        yield System(books, books_urls, urls, client, deps, tokens)
        await worker.stop()
    await books.dispose()
    await own.dispose()


async def test_a_payout_goes_all_the_way_and_comes_back(system: System) -> None:
    driver_id = new_id()
    await system.earn(driver_id, "100.00")
    payout_id = (await system.ask(driver_id, "60.00")).json()["id"]
    await system.until(driver_id, PROCESSING=1)
    assert await system.balance(driver_id) == (Decimal("40.00"), Decimal("60.00"))

    id_envio = UUID(payout_id).hex
    system.deps.bank.decide(id_envio, SendState.DONE, fee="0.10")
    await system.until(driver_id, COMPLETED=1)

    async def settled() -> bool:
        return await system.balance(driver_id) == (Decimal("40.00"), Decimal("0.00"))

    await eventually(settled, 20)
    system.deps.bank.give_back(id_envio, "25.00")
    async with system.books.transaction() as tx:
        await tx.publish(SendReported(id_envio=id_envio, status="REALIZADO", reported_at=tx.now()))
    await system.until(driver_id, RETURNED=1)

    async def back() -> bool:
        return await system.balance(driver_id) == (Decimal("65.00"), Decimal("0.00"))

    await eventually(back, 20)
    await assert_sound(system.books_urls)
    # The fee is an expense of the platform's: the driver had 60.00 sent, and 60.10 left the bank.
    balances = await trial_balance(system.books_urls)
    assert (balances["5100"], balances["1100"]) == (Decimal("0.10"), Decimal("64.90"))
    shown = await query(system.urls, "SELECT bank_details::text, provider_response::text FROM payouts")
    assert "52998224725" not in str(shown)
    assert "ana@exemplo" not in str(shown)


async def test_a_refused_payout_gives_the_money_back(system: System) -> None:
    driver_id = new_id()
    await system.earn(driver_id, "100.00")
    system.deps.bank.answers = [SendRefused("chave_invalida")]
    await system.ask(driver_id, "60.00")
    await system.until(driver_id, FAILED=1)
    assert await system.statuses(driver_id) == {("FAILED", "rejected_by_bank"): 1}

    async def released() -> bool:
        return await system.balance(driver_id) == (Decimal("100.00"), Decimal("0.00"))

    await eventually(released, 20)
    await assert_sound(system.books_urls)


async def test_fifty_payouts_against_one_balance_never_pay_more_than_it(system: System) -> None:
    """Payout believes in far more than there is, so that every request gets through to the ledger."""
    driver_id = new_id()
    await system.earn(driver_id, "100.00")
    await query(
        system.urls,
        "UPDATE driver_balances SET available = 1000000, version = 1000 WHERE driver_id = $1",
        driver_id,
    )
    answers = await asyncio.gather(*(system.ask(driver_id, "30.00") for _ in range(50)))
    assert [answer.status_code for answer in answers] == [201] * 50

    await system.until(driver_id, PROCESSING=3, FAILED=47)

    assert await system.statuses(driver_id) == {
        ("PROCESSING", None): 3,
        ("FAILED", "insufficient_balance"): 47,
    }
    assert system.deps.bank.paid == Decimal("90.00")
    assert await system.balance(driver_id) == (Decimal("10.00"), Decimal("90.00"))
    for id_envio in list(system.deps.bank.sends):
        system.deps.bank.decide(id_envio, SendState.DONE)
    await system.until(driver_id, COMPLETED=3)

    async def settled() -> bool:
        return await system.balance(driver_id) == (Decimal("10.00"), Decimal("0.00"))

    await eventually(settled, 20)
    await assert_sound(system.books_urls)


async def test_a_contradiction_opens_one_case_and_moves_nothing(system: System) -> None:
    driver_id = new_id()
    await system.earn(driver_id, "100.00")
    payout_id = UUID((await system.ask(driver_id, "60.00")).json()["id"])
    await system.until(driver_id, PROCESSING=1)
    system.deps.bank.decide(payout_id.hex, SendState.DONE)
    await system.until(driver_id, COMPLETED=1)
    system.deps.bank.decide(payout_id.hex, SendState.REJECTED)
    for _ in range(2):
        async with system.books.transaction() as tx:
            await tx.publish(
                SendReported(id_envio=payout_id.hex, status="NAO_REALIZADO", reported_at=tx.now())
            )

    async def case_opened() -> bool:
        sql = "SELECT external_id FROM reconciliation_cases"
        found = [row["external_id"] for row in await query(system.books_urls, sql)]
        return found == [f"payout_contradicted:{payout_id}:NAO_REALIZADO"]

    await eventually(case_opened, 30)
    await system.until(driver_id, COMPLETED=1)
    assert await system.balance(driver_id) == (Decimal("40.00"), Decimal("0.00"))
    await assert_sound(system.books_urls)


async def test_profiles_decide_who_may_ask(system: System) -> None:
    """Suspended and reinstated by identity's word over Kafka."""
    driver_id = new_id()
    await system.earn(driver_id, "100.00")
    for version, status, answer in ((8, UserStatus.SUSPENDED, 403), (9, UserStatus.ACTIVE, 201)):
        async with system.books.transaction() as tx:
            await tx.publish(driver_profile(driver_id, version=version, status=status, now=tx.now()))

        async def heard(expected: str = status.value) -> bool:
            sql = "SELECT status FROM driver_standings WHERE driver_id = $1"
            return [row["status"] for row in await query(system.urls, sql, driver_id)] == [expected]

        await eventually(heard, 30)
        assert (await system.ask(driver_id, "60.00")).status_code == answer
    await system.until(driver_id, PROCESSING=1)


def driver_profile(driver_id: UUID, *, version: int, status: UserStatus, now: datetime) -> Profile:
    return Profile(
        user_id=driver_id,
        version=version,
        user_type=UserType.DRIVER,
        status=status,
        full_name="Ana",
        updated_at=now,
    )
