"""Sends through our own client to the simulated Efí, over real HTTP and mutual TLS, in all its moods."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from payout_fakes import FakeDeps, payout_at
from simulator_fakes import KEY, Running, running

from contracts.payout import PayoutCompleted, PayoutFailed, PayoutReturned, PayoutSent
from efi_simulator.domain.nouns import Webhook
from kernel.clock import SystemClock
from payout.adapters.bank import EfiBank
from payout.domain.payout import Payout, Status, Step
from payout.domain.policy import Policy
from payout.effects.poll_sends import poll_sends
from payout.effects.process_payout import process_payout
from storage import Database
from testkit import eventually
from testkit.certificates import Certificates
from testkit.databases import DatabaseUrls
from testkit.outbox import published


@dataclass
class Bank:
    """The simulator, payout's rows and payout's jobs."""

    simulator: Running
    deps: FakeDeps
    urls: DatabaseUrls

    async def hold(self, amount: str = "50.00") -> Payout:
        now = self.deps.now()
        payout = payout_at(Step.HELD, amount=amount, at=now - timedelta(seconds=1))
        async with self.deps.transaction() as tx:
            await tx.payouts.add(payout, due_at=now)
        return payout

    async def until(self, payout: Payout, status: Status) -> Payout:
        async def there() -> Payout | None:
            await process_payout(self.deps)
            await poll_sends(self.deps)
            async with self.deps.transaction() as tx:
                found = await tx.payouts.get(payout.id)
            return found if found is not None and found.status is status else None

        found = await eventually(there, 20)
        assert found is not None
        return found

    async def sends(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.simulator.state())["sends"]
        return found

    async def kinds(self) -> list[type]:
        money = (PayoutSent, PayoutCompleted, PayoutFailed, PayoutReturned)
        return [type(fact) for fact, _, _ in await published(self.urls) if isinstance(fact, money)]


@pytest.fixture
async def bank(
    tmp_path: Path, certificates: Certificates, database: Database[Any], urls: DatabaseUrls
) -> AsyncIterator[Bank]:
    policy = Policy(first_poll_s=0.02, janitor_s=0.2, retry_s=0.05, resend_after_s=0.3)
    deps = FakeDeps(transaction=database.transaction, policy=policy)
    deps.clock = SystemClock()  # type: ignore[assignment]
    async with running(tmp_path, certificates) as simulator, simulator.client() as client:
        deps.bank = EfiBank(client)  # type: ignore[assignment]
        yield Bank(simulator, deps, urls)


@pytest.fixture
def registered(bank: Bank) -> Bank:
    """With the webhook that Efí demands of a paying key; nobody listens there, so only polls bring news."""
    register(bank)
    return bank


def register(bank: Bank) -> None:
    url = "https://localhost:1/webhooks/efi"
    bank.simulator.bank.webhooks[KEY] = Webhook(key=KEY, url=url, created_at=bank.deps.now())


async def test_a_payout_reaches_the_driver(registered: Bank) -> None:
    payout = await registered.until(await registered.hold(), Status.COMPLETED)
    [send] = await registered.sends()
    assert send["idEnvio"] == payout.id.hex
    assert send["endToEndId"] == payout.provider_transaction_id
    assert (await registered.simulator.state())["balance"] == "950.00"
    assert await registered.kinds() == [PayoutSent, PayoutCompleted]


@pytest.mark.parametrize(("mode", "left"), [("reject", 0), ("reject_later", 1)])
async def test_what_the_bank_refuses_fails_whenever_it_says_so(
    registered: Bank, mode: str, left: int
) -> None:
    await registered.simulator.order("sends", mode=mode, count=1)
    payout = await registered.until(await registered.hold(), Status.FAILED)
    assert payout.failure_reason == "rejected_by_bank"
    assert len(await registered.sends()) == left
    assert (await registered.simulator.state())["balance"] == "1000.00"


@pytest.mark.parametrize("mode", ["timeout_after", "timeout_before", "error_500"])
async def test_a_lost_answer_pays_once(registered: Bank, mode: str) -> None:
    await registered.simulator.order("sends", mode=mode, count=1)
    payout = await registered.until(await registered.hold(), Status.COMPLETED)
    assert [send["idEnvio"] for send in await registered.sends()] == [payout.id.hex]
    assert (await registered.simulator.state())["balance"] == "950.00"
    assert (await registered.kinds()).count(PayoutCompleted) == 1


async def test_a_bank_that_is_down_only_delays(registered: Bank) -> None:
    await registered.simulator.order("api", mode="down", count=6)
    await registered.until(await registered.hold(), Status.COMPLETED)
    assert len(await registered.sends()) == 1


async def test_what_comes_back_is_returned(registered: Bank) -> None:
    await registered.simulator.order("sends", mode="return_later", count=1)
    payout = await registered.until(await registered.hold("40.00"), Status.RETURNED)
    assert payout.returned == Decimal("40.00")
    assert (await registered.simulator.state())["balance"] == "1000.00"
    assert (await registered.kinds())[-2:] == [PayoutCompleted, PayoutReturned]


async def test_an_account_that_is_not_set_up_fails_nobodys_payout(bank: Bank) -> None:
    payout = await bank.hold()
    await process_payout(bank.deps)
    register(bank)
    await bank.until(payout, Status.COMPLETED)
