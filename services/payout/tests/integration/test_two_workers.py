"""Two workers of payout on one database: the account is spoken to by one of them at a time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from payout_fakes import FakeBank, FakeDeps, payout_at

from kernel.clock import SystemClock
from messaging import KafkaSettings, Worker
from payout.adapters.transaction import PayoutTransaction
from payout.domain.policy import Policy
from payout.domain.send import SendReport
from payout.domain.step import Status, Step
from payout.jobs import timetable
from storage import Database, DatabaseSettings
from testkit import eventually
from testkit.databases import DatabaseUrls

PAYOUTS = 12


class OneAccount(FakeBank):
    """Remembers who was sending at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.sending = 0
        self.most_at_once = 0

    async def send(self, id_envio: str, **values: Any) -> SendReport:
        self.sending += 1
        self.most_at_once = max(self.most_at_once, self.sending)
        try:
            # Room for another worker's call, were there one.
            for _ in range(20):
                await asyncio.sleep(0)
            return await super().send(id_envio, **values)
        finally:
            self.sending -= 1


@pytest.fixture
async def workers(
    urls: DatabaseUrls, kafka_settings: KafkaSettings
) -> AsyncIterator[tuple[OneAccount, Database[Any]]]:
    bank = OneAccount()
    databases = [
        Database(DatabaseSettings(database_url=urls.app_url), service="payout", make=PayoutTransaction)
        for _ in range(2)
    ]
    running = []
    for database in databases:
        deps = FakeDeps(transaction=database.transaction, policy=Policy(first_poll_s=0.05))
        deps.clock = SystemClock()  # type: ignore[assignment]
        deps.bank = bank
        jobs = timetable(deps, every_s=0.02)
        running.append(
            Worker(database=database, settings=kafka_settings, service="payout", handlers={}, jobs=jobs)
        )
    for worker in running:
        await worker.start()
    yield bank, databases[0]
    for worker in running:
        await worker.stop()
    for database in databases:
        await database.dispose()


async def test_sends_of_two_workers_never_overlap(workers: tuple[OneAccount, Database[Any]]) -> None:
    bank, database = workers
    now = SystemClock().now()
    payouts = [payout_at(Step.HELD, at=now) for _ in range(PAYOUTS)]
    for payout in payouts:
        async with database.transaction() as tx:
            await tx.payouts.add(payout, due_at=now)

    async def all_sent() -> bool:
        async with database.transaction() as tx:
            found = await tx.payouts.list_of(None, before=None, limit=100, status=Status.PROCESSING)
        return sum(payout.step is Step.SENT for payout in found) == PAYOUTS

    await eventually(all_sent, 30)
    sent = [call for call in bank.calls if call.startswith("send")]
    assert sorted(sent) == sorted(f"send {payout.id.hex}" for payout in payouts)
    assert bank.most_at_once == 1
