"""Sends through our own client to the simulated Efí, over real HTTP and mutual TLS, in all its moods."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from payout_fakes import FakeDeps, payout_at
from simulator_fakes import KEY, Running, running

from contracts.payout import PayoutCompleted, PayoutContradicted, PayoutFailed, PayoutReturned, PayoutSent
from efi_simulator.domain.nouns import Webhook
from kernel.clock import SystemClock
from payout.adapters.bank import EfiBank
from payout.domain.bank_details import BankDetails
from payout.domain.payout import Payout
from payout.domain.policy import Policy
from payout.domain.send import SendReport
from payout.domain.step import Status, Step
from payout.effects.poll_sends import poll_sends
from payout.effects.process_payout import process_payout
from payout.usecases.note_send_report import note_send_report
from storage import Database
from testkit import eventually
from testkit.certificates import Certificates
from testkit.databases import DatabaseUrls
from testkit.outbox import published


@dataclass
class Guarded:
    """The real adapter, which must never be called inside a transaction; `deaf` queries know nothing yet."""

    bank: EfiBank
    deps: FakeDeps
    deaf: int = 0
    calls: int = 0

    async def send(self, id_envio: str, *, amount: Decimal, details: BankDetails) -> SendReport:
        self._check()
        return await self.bank.send(id_envio, amount=amount, details=details)

    async def find(self, id_envio: str) -> SendReport | None:
        self._check()
        if self.deaf > 0:
            self.deaf -= 1
            return None
        return await self.bank.find(id_envio)

    def _check(self) -> None:
        self.calls += 1
        assert self.deps.open_transactions.get() == 0, "Efí was called inside a transaction"


@dataclass
class Bank:
    """The simulator, payout's rows and payout's jobs."""

    simulator: Running
    deps: FakeDeps
    urls: DatabaseUrls

    @property
    def guarded(self) -> Guarded:
        found = self.deps.bank
        assert isinstance(found, Guarded)
        return found

    async def hold(self, amount: str = "50.00", details: BankDetails | None = None) -> Payout:
        now = self.deps.now()
        payout = payout_at(Step.HELD, amount=amount, at=now - timedelta(seconds=1))
        if details is not None:
            payout = replace(payout, snapshot=self.deps.vault.seal(details))
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
        money = (PayoutSent, PayoutCompleted, PayoutFailed, PayoutReturned, PayoutContradicted)
        return [type(fact) for fact, _, _ in await published(self.urls) if isinstance(fact, money)]


@pytest.fixture
async def bank(
    tmp_path: Path, certificates: Certificates, database: Database[Any], urls: DatabaseUrls
) -> AsyncIterator[Bank]:
    policy = Policy(first_poll_s=0.02, janitor_s=0.2, retry_s=0.05, resend_after_s=0.3)
    deps = FakeDeps(transaction=database.transaction, policy=policy)
    deps.clock = SystemClock()  # type: ignore[assignment]
    async with running(tmp_path, certificates) as simulator, simulator.client() as client:
        deps.bank = Guarded(EfiBank(client, limit_s=policy.call_s), deps)  # type: ignore[assignment]
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


async def test_a_send_that_the_bank_does_not_know_yet_has_not_failed(registered: Bank) -> None:
    """404 right after a send: neither a failure nor a reason to send again."""
    payout = await registered.hold()
    await process_payout(registered.deps)
    registered.guarded.deaf = 3
    done = await registered.until(payout, Status.COMPLETED)
    assert registered.guarded.deaf == 0
    assert [send["idEnvio"] for send in await registered.sends()] == [done.id.hex]
    assert await registered.kinds() == [PayoutSent, PayoutCompleted]


async def test_a_refusal_at_once_is_final_without_any_webhook(registered: Bank) -> None:
    """The bank tells of it in its answer and never again: nothing is waited for."""
    await registered.simulator.order("sends", mode="reject", count=1)
    payout = await registered.hold()
    assert await process_payout(registered.deps) == 1
    async with registered.deps.transaction() as tx:
        found = await tx.payouts.get(payout.id)
    assert found is not None
    assert found.status is Status.FAILED
    assert await process_payout(registered.deps) == await poll_sends(registered.deps) == 0
    assert registered.guarded.calls == 1
    assert await registered.kinds() == [PayoutFailed]


async def test_a_key_of_somebody_else_fails_and_is_not_tried_again(registered: Bank) -> None:
    stolen = BankDetails(pix_key="11144477735", pix_key_type="cpf", cpf="52998224725")
    payout = await registered.until(await registered.hold(details=stolen), Status.FAILED)
    assert payout.failure_reason == "pix_key_not_owned"
    assert payout.provider_response["error_code"] == "chave_nao_pertence_ao_documento"
    assert registered.guarded.calls == 1
    assert await registered.sends() == []


async def test_a_payout_comes_back_in_parts(registered: Bank) -> None:
    """Of 4.00 the sandbox returns 2.00 twice; however often it is told, each counts once."""
    await registered.simulator.order("rules", homologation=True)
    to_the_sandbox = BankDetails(pix_key="efipay@sejaefi.com.br", pix_key_type="email", cpf="52998224725")
    held = await registered.hold("4.00", details=to_the_sandbox)

    async def all_back() -> bool:
        await process_payout(registered.deps)
        async with registered.deps.transaction() as tx:
            await note_send_report(tx, id_envio=held.id.hex, now=registered.deps.now())
        await poll_sends(registered.deps)
        async with registered.deps.transaction() as tx:
            found = await tx.payouts.get(held.id)
        return found is not None and found.returned == Decimal("4.00")

    await eventually(all_back, 20)
    for _ in range(3):
        assert await all_back()
    returns = [
        (fact.amount, fact.returned_total)
        for fact, _, _ in await published(registered.urls)
        if isinstance(fact, PayoutReturned)
    ]
    assert returns == [(Decimal("2.00"), Decimal("2.00")), (Decimal("2.00"), Decimal("4.00"))]
    assert (await registered.simulator.state())["balance"] == "1000.00"


async def test_the_banks_fee_is_told_apart_from_the_amount(registered: Bank) -> None:
    await registered.simulator.order("fees", sent="0.35")
    payout = await registered.until(await registered.hold("10.00"), Status.COMPLETED)
    assert (payout.amount, payout.fee) == (Decimal("10.00"), Decimal("0.35"))
    [done] = [fact for fact, _, _ in await published(registered.urls) if isinstance(fact, PayoutCompleted)]
    assert (done.amount, done.fee) == (Decimal("10.00"), Decimal("0.35"))
    assert (await registered.simulator.state())["balance"] == "989.65"


@pytest.mark.parametrize(
    ("mode", "settled", "other"),
    [("ok", Status.COMPLETED, "NAO_REALIZADO"), ("reject_later", Status.FAILED, "REALIZADO")],
)
async def test_a_late_contradiction_is_told_of_once_and_moves_nothing(
    registered: Bank, mode: str, settled: Status, other: str
) -> None:
    await registered.simulator.order("sends", mode=mode, count=1)
    payout = await registered.until(await registered.hold(), settled)
    before = [kind for kind in await registered.kinds() if kind is not PayoutContradicted]
    await registered.simulator.order(f"sends/{payout.id.hex}/status", status=other)
    for _ in range(3):
        async with registered.deps.transaction() as tx:
            await note_send_report(tx, id_envio=payout.id.hex, now=registered.deps.now())
        await poll_sends(registered.deps)

    facts = [fact for fact, _, _ in await published(registered.urls)]
    [told] = [fact for fact in facts if isinstance(fact, PayoutContradicted)]
    assert (told.known, told.reported, told.payout_id) == (settled.value, other, payout.id)
    assert [kind for kind in await registered.kinds() if kind is not PayoutContradicted] == before
    async with registered.deps.transaction() as tx:
        after = await tx.payouts.get(payout.id)
    assert after == payout
