"""The books on disk: what is told is there, half a line is not, one flush serves many."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest
from simulator_fakes import KEY, LATER, NOW, TXID, bank, charge, send

from efi_simulator.adapters.journal import SHELVES, Journal
from efi_simulator.domain.bank import Bank
from efi_simulator.domain.modes import SendMode
from efi_simulator.domain.receiving import pay_charge, receive_pix, request_refund
from efi_simulator.domain.reporting import order_report
from efi_simulator.domain.settling import settle
from efi_simulator.domain.shelf import Shelf
from kernel.business_day import business_day


class Open:
    """A bank and its journal in one folder."""

    def __init__(self, folder: Path) -> None:
        self.bank = bank(webhook=False)
        self.journal = Journal(folder, self.bank)
        self.journal.open()


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[Open]:
    one = Open(tmp_path)
    yield one
    await one.journal.close()


def fill(books: Bank) -> None:
    """Something on every shelf, things done and things due."""
    books.webhooks[KEY] = bank().webhooks[KEY]
    charge(books)
    received = pay_charge(books, txid=TXID, amount=None, payer_cpf="52998224725", now=NOW)
    request_refund(books, e2e_id=received.e2e_id, refund_id="r1", amount=Decimal("1.00"), now=NOW)
    books.send_mode.set(SendMode.RETURN_LATER, count=1)
    send(books)
    settle(books, now=LATER)
    settle(books, now=LATER)
    send(books, id_envio="envio2")
    order_report(books, day=business_day(NOW).replace(day=1), records=("pixRecebido",), now=NOW)


def told(books: Bank) -> dict[str, object]:
    """Everything that the bank knows but its modes."""
    return {name: dict(getattr(books, name)) for name in SHELVES} | {
        "balance": books.balance,
        "fees": books.fees,
        "last": books.numbers.last,
        "rules": books.rules,
        "due": books.next_due_at(),
    }


async def reopened(folder: Path) -> Bank:
    again = Open(folder)
    await again.journal.close()
    return again.bank


async def test_everything_is_there_after_a_restart(books: Open, tmp_path: Path) -> None:
    books.bank.rules.receive_fee = Decimal("0.01")
    books.bank.rules.blocked_documents = frozenset({"52998224725"})
    fill(books.bank)
    await books.journal.keep()
    known = told(books.bank)
    assert all(known[name] for name in SHELVES)
    again = await reopened(tmp_path)
    assert told(again) == known
    assert [one.number for one in again.notices] == [int(number) for number in again.undelivered]
    settle(again, now=LATER)
    assert again.next_due_at() is None


def test_every_shelf_of_the_bank_is_written_down() -> None:
    shelves = {one.name for one in fields(Bank) if isinstance(getattr(bank(), one.name), Shelf)}
    assert shelves == set(SHELVES)


async def test_half_a_line_at_the_end_never_happened(books: Open, tmp_path: Path) -> None:
    receive_pix(books.bank, txid=None, amount=Decimal("1.00"), payer_cpf=None, now=NOW)
    await books.journal.keep()
    path = tmp_path / "bank.jsonl"
    whole = path.read_bytes()
    receive_pix(books.bank, txid=None, amount=Decimal("2.00"), payer_cpf=None, now=NOW)
    await books.journal.keep()
    torn = path.read_bytes()[len(whole) :]
    path.write_bytes(whole + torn[: len(torn) // 2])
    assert (await reopened(tmp_path)).balance == Decimal("1001.00")


async def test_what_is_gone_stays_gone(books: Open, tmp_path: Path) -> None:
    books.bank.webhooks[KEY] = bank().webhooks[KEY]
    await books.journal.keep()
    del books.bank.webhooks[KEY]
    await books.journal.keep()
    assert (await reopened(tmp_path)).webhooks == {}


async def test_a_start_leaves_one_line(books: Open, tmp_path: Path) -> None:
    for _ in range(10):
        receive_pix(books.bank, txid=None, amount=Decimal("1.00"), payer_cpf=None, now=NOW)
        await books.journal.keep()
    path = tmp_path / "bank.jsonl"
    assert len(path.read_bytes().splitlines()) == 11
    await reopened(tmp_path)
    (line,) = path.read_bytes().splitlines()
    assert len(json.loads(line)["received"]) == 10


async def test_nothing_new_is_not_written(books: Open, tmp_path: Path) -> None:
    before = (tmp_path / "bank.jsonl").read_bytes()
    await books.journal.keep()
    assert (tmp_path / "bank.jsonl").read_bytes() == before


async def test_one_flush_serves_all_who_wait(books: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    flushes: list[int] = []
    flush = os.fdatasync

    def counted(handle: int) -> None:
        flushes.append(handle)
        flush(handle)

    monkeypatch.setattr(os, "fdatasync", counted)

    async def receive() -> None:
        receive_pix(books.bank, txid=None, amount=Decimal("1.00"), payer_cpf=None, now=NOW)
        await books.journal.keep()

    await asyncio.gather(*(receive() for _ in range(100)))
    assert 1 <= len(flushes) <= 3


async def test_a_caller_that_gives_up_takes_nobody_with_it(books: Open, tmp_path: Path) -> None:
    receive_pix(books.bank, txid=None, amount=Decimal("1.00"), payer_cpf=None, now=NOW)
    impatient = asyncio.create_task(books.journal.keep())
    patient = asyncio.create_task(books.journal.keep())
    await asyncio.sleep(0)
    impatient.cancel()
    await patient
    assert (await reopened(tmp_path)).balance == Decimal("1001.00")


async def test_a_disk_that_refuses_is_told_and_tried_again(
    books: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive_pix(books.bank, txid=None, amount=Decimal("1.00"), payer_cpf=None, now=NOW)
    with monkeypatch.context() as broken:

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        broken.setattr(os, "fdatasync", full)
        with pytest.raises(OSError, match="No space"):
            await books.journal.keep()
    await books.journal.keep()
    assert (await reopened(tmp_path)).balance == Decimal("1001.00")


async def test_half_a_line_of_a_full_disk_is_taken_back(
    books: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive_pix(books.bank, txid=None, amount=Decimal("1.00"), payer_cpf=None, now=NOW)
    write = os.write
    with monkeypatch.context() as broken:

        def half(handle: int, data: bytes) -> int:
            if len(data) < 100:
                raise OSError(28, "No space left on device")
            return write(handle, data[:-50])

        broken.setattr(os, "write", half)
        with pytest.raises(OSError, match="No space"):
            await books.journal.keep()
    await books.journal.keep()
    assert (await reopened(tmp_path)).balance == Decimal("1001.00")


async def test_only_its_owner_can_read_the_folder(tmp_path: Path) -> None:
    await reopened(tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0
