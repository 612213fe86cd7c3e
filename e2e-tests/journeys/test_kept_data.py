"""`make down`, `make up DATA=keep`: the simulated bank goes on with the books that it had."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from devstack import stack as stacks
from devstack.files import read_json
from efi import EfiClient, EfiSettings, RefundStatus, SendStatus
from journeys.conftest import Until
from kernel.ids import new_id
from simulator.bank import Bank

ONLY: Final = "efi-simulator,payment"
"""The bank, and the service that registers our webhook with it: it sends nothing for a key without one."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "stack"
    stacks.down(tmp_path / "stack")


def up(folder: Path, *, keep_data: bool) -> None:
    said: list[str] = []
    assert stacks.up(folder, say=said.append, only=ONLY, keep_data=keep_data, owner_pid=os.getpid()), (
        "\n".join(said)
    )


@asynccontextmanager
async def account(folder: Path) -> AsyncIterator[tuple[EfiClient, Bank]]:
    """Our account at the bank through its API, and the bank's own door."""
    environment: dict[str, str] = read_json(folder / "services" / "payment.json") or {}
    settings: dict[str, Any] = {
        name.lower(): value for name, value in environment.items() if name.startswith("EFI_")
    }
    bank = Bank(stacks.described(folder)["efi"]["control"])
    client = EfiClient(EfiSettings(**settings))
    try:
        yield client, bank
    finally:
        await client.aclose()
        await bank.close()


async def test_balance_charges_refunds_and_sends_survive_the_stacks_end(folder: Path, until: Until) -> None:
    txid, id_envio, refund_id = new_id().hex, new_id().hex, new_id().hex
    up(folder, keep_data=False)
    async with account(folder) as (client, bank):
        await client.create_charge(txid, amount=Decimal("50.00"), expires_s=3600)
        e2e_id = await bank.pay(txid)
        await client.refund(e2e_id, refund_id, amount=Decimal("7.89"))
        await until(lambda: _registered(client))
        await client.send(id_envio, amount=Decimal("12.34"), key="driver@example.com")
        await until(lambda: _sent(client, id_envio))
        before = await bank.state()
    assert Decimal(before["balance"]) == Decimal(before["opening_balance"]) + Decimal("29.77")

    assert stacks.down(folder)
    up(folder, keep_data=True)

    async with account(folder) as (client, bank):
        assert await bank.state() == before
        assert await client.balance() == Decimal(before["balance"])
        assert (await client.get_charge(txid)).amount == Decimal("50.00")
        assert (await client.get_refund(e2e_id, refund_id)).status is RefundStatus.DONE
        # What is asked for again under its id is what it was: nothing goes out twice.
        again = await client.send(id_envio, amount=Decimal("12.34"), key="driver@example.com")
        assert (again.status, again.amount) == (SendStatus.DONE, Decimal("12.34"))
        assert await client.balance() == Decimal(before["balance"])

    assert stacks.down(folder)
    up(folder, keep_data=False)
    async with account(folder) as (_, bank):
        fresh = await bank.state()
    assert (fresh["balance"], fresh["sends"]) == (fresh["opening_balance"], []), (
        "without DATA=keep all is new"
    )


async def _registered(client: EfiClient) -> bool:
    return await client.get_webhook() is not None


async def _sent(client: EfiClient, id_envio: str) -> bool:
    return (await client.get_send(id_envio)).status is SendStatus.DONE
