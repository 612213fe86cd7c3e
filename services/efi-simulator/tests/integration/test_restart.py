"""What the bank has answered for survives its sudden death."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from simulator_fakes import DRIVER_KEY, TXID, Receiver, receiving
from simulator_process import Simulated, environment, process, ready

from efi import ChargeStatus, EfiError, RefundStatus, SendStatus
from testkit import eventually
from testkit.certificates import Certificates


@pytest.fixture
def told(tmp_path: Path, certificates: Certificates) -> dict[str, str]:
    return environment(tmp_path, certificates) | {"STATE_FOLDER": str(tmp_path / "state")}


@asynccontextmanager
async def alive(
    told: dict[str, str], folder: Path, certificates: Certificates
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Simulated]]:
    async with process(told) as running, ready(running, told, folder, certificates) as simulated:
        yield running, simulated


async def kill(running: asyncio.subprocess.Process) -> None:
    running.send_signal(signal.SIGKILL)
    await running.wait()


async def test_everything_that_was_answered_for_is_there_after_a_kill(
    tmp_path: Path, told: dict[str, str], certificates: Certificates
) -> None:
    async with receiving(certificates) as receiver:
        async with alive(told, tmp_path, certificates) as (running, bank):
            await bank.client.register_webhook(receiver.url)
            await bank.order("fees", received="0.01", sent="0.02")
            await bank.client.create_charge(TXID, amount=Decimal("50.00"), expires_s=3600)
            e2e_id = (await bank.order(f"charges/{TXID}/pay"))["endToEndId"]
            await bank.client.refund(e2e_id, "r1", amount=Decimal("4.00"))
            await bank.client.send("envio1", amount=Decimal("12.34"), key=DRIVER_KEY)
            await kill(running)

        async with alive(told, tmp_path, certificates) as (running, bank):
            assert (await bank.client.get_charge(TXID)).status is ChargeStatus.COMPLETED
            await eventually(lambda: settled(bank, e2e_id))
            assert await bank.client.balance() == Decimal("1033.63")
            assert (await bank.state())["fees"] == "0.03"
            registered = await bank.client.get_webhook()
            assert registered is not None
            assert registered.url == receiver.url
            # Fees are the stack's own and hold on; ids go on from where they were.
            other = (await bank.order("pix", amount="1.00"))["endToEndId"]
            assert (await bank.client.get_received(other)).fee == Decimal("0.01")
            assert other != e2e_id
            await eventually(lambda: told_of(receiver) >= {e2e_id, other})


async def settled(bank: Simulated, e2e_id: str) -> bool:
    refund = await bank.client.get_refund(e2e_id, "r1")
    send = await bank.client.get_send("envio1")
    return (refund.status, send.status) == (RefundStatus.DONE, SendStatus.DONE)


def told_of(receiver: Receiver) -> set[str]:
    return {item["endToEndId"] for item in receiver.items()}


async def test_a_notice_that_nobody_took_is_brought_after_a_restart(
    tmp_path: Path, told: dict[str, str], certificates: Certificates
) -> None:
    told["WEBHOOK_MINUTE_S"] = "600"
    async with receiving(certificates) as receiver:
        async with alive(told, tmp_path, certificates) as (running, bank):
            await bank.client.register_webhook(receiver.url)
            receiver.statuses = [503]
            e2e_id = (await bank.order("pix", amount="1.00"))["endToEndId"]
            await eventually(lambda: len(receiver.items()) == 1)
            await kill(running)
        receiver.got.clear()
        async with alive(told, tmp_path, certificates):
            await eventually(lambda: told_of(receiver) == {e2e_id})


async def test_no_answered_send_is_lost_when_the_bank_is_killed_while_it_pays(
    tmp_path: Path, told: dict[str, str], certificates: Certificates
) -> None:
    answered: list[str] = []

    async def pay(bank: Simulated, number: int) -> None:
        try:
            await bank.client.send(f"envio{number}", amount=Decimal("1.00"), key=DRIVER_KEY)
        except EfiError:
            return
        answered.append(f"envio{number}")

    async with receiving(certificates) as receiver:
        async with alive(told, tmp_path, certificates) as (running, bank):
            await bank.client.register_webhook(receiver.url)
            work = [asyncio.create_task(pay(bank, number)) for number in range(200)]
            await eventually(lambda: len(answered) >= 20)
            await kill(running)
            await asyncio.gather(*work)

        async with alive(told, tmp_path, certificates) as (running, bank):
            state = await bank.state()
            known = {one["idEnvio"] for one in state["sends"]}
            assert 20 <= len(answered) < 200
            assert set(answered) <= known
            assert Decimal(state["balance"]) == Decimal("1000.00") - len(known)


async def test_without_a_folder_a_restart_forgets_everything(
    tmp_path: Path, certificates: Certificates
) -> None:
    told = environment(tmp_path, certificates)
    async with alive(told, tmp_path, certificates) as (running, bank):
        await bank.order("pix", amount="1.00")
        await kill(running)
    async with alive(told, tmp_path, certificates) as (running, bank):
        assert (await bank.state())["balance"] == "1000.00"


async def test_a_watcher_does_not_keep_the_bank_from_stopping(
    tmp_path: Path, told: dict[str, str], certificates: Certificates
) -> None:
    async with alive(told, tmp_path, certificates) as (running, bank):
        async with bank.control.stream("GET", "/_control/events", timeout=30) as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == ""
            running.send_signal(signal.SIGTERM)
            assert [line async for line in lines] == []
        assert await asyncio.wait_for(running.wait(), timeout=20) == 0
