"""The books from a terminal."""

import json

import asyncpg
import pytest
from ledger_books import Books, confirmed, query, until_finished
from pydantic import ValidationError

from ledger.api.terminal import post_journal, reverse_journal, show_trial_balance, verify
from ledger.domain.journal import UnbalancedJournal
from ledger.usecases.seal_journals import seal_journals
from ledger.usecases.settle_payment import settle_payment
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock

CAPITAL = {
    "transaction_id": "capital_1",
    "description": "Capital dos sócios",
    "lines": [
        {"account_code": "1100", "entry_type": "DEBIT", "amount": "1000.00"},
        {"account_code": "3100", "entry_type": "CREDIT", "amount": "1000.00"},
    ],
}


async def test_capital_is_posted_shown_and_reversed(
    books: Books, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await post_journal(books.transaction, order=json.dumps(CAPITAL), now=clock.now()) == 0
    assert await show_trial_balance(books.transaction, codes=("1100", "3100")) == 0
    shown = capsys.readouterr().out
    assert "BANCO_CORRENTE" in shown
    assert shown.count("1000.00") == 2

    order = json.dumps({"transaction_id": "capital_1", "reason": "typo"})
    assert await reverse_journal(books.transaction, order=order, now=clock.now()) == 0
    assert await show_trial_balance(books.transaction, codes=("1100",)) == 0
    assert "1000.00" not in capsys.readouterr().out
    assert await show_trial_balance(books.transaction, codes=("1100", "3100")) == 0


async def test_an_unequal_trial_balance_is_an_error(books: Books, clock: FakeClock) -> None:
    await post_journal(books.transaction, order=json.dumps(CAPITAL), now=clock.now())
    assert await show_trial_balance(books.transaction, codes=("1100",)) == 1


async def test_wrong_orders_post_nothing(books: Books, clock: FakeClock, urls: DatabaseUrls) -> None:
    unbalanced = {**CAPITAL, "lines": CAPITAL["lines"][:1]}  # type: ignore[index]
    with pytest.raises(UnbalancedJournal):
        await post_journal(books.transaction, order=json.dumps(unbalanced), now=clock.now())
    for wrong in ({**CAPITAL, "extra": 1}, {**CAPITAL, "description": ""}):
        with pytest.raises(ValidationError):
            await post_journal(books.transaction, order=json.dumps(wrong), now=clock.now())
    assert await query(urls, "SELECT * FROM financial_events") == []


async def test_the_chain_is_verified(
    books: Books, clock: FakeClock, urls: DatabaseUrls, capsys: pytest.CaptureFixture[str]
) -> None:
    async with books.transaction() as tx:
        await settle_payment(tx, paid=confirmed(), now=clock.now())
    await until_finished(urls)
    async with books.transaction() as tx:
        await seal_journals(tx, limit=100, now=clock.now())
    assert await verify(books.transaction) == 0
    assert "1 seals over 3 journals hold" in capsys.readouterr().out


async def test_a_broken_chain_is_an_error(
    books: Books, clock: FakeClock, urls: DatabaseUrls, capsys: pytest.CaptureFixture[str]
) -> None:
    async with books.transaction() as tx:
        await settle_payment(tx, paid=confirmed(), now=clock.now())
    await until_finished(urls)
    async with books.transaction() as tx:
        await seal_journals(tx, limit=100, now=clock.now())
    connection = await asyncpg.connect(urls.admin_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("DELETE FROM ledger_entries WHERE entry_type = 'CREDIT'")
    finally:
        await connection.close()
    assert await verify(books.transaction) == 1
    assert "BROKEN at seal 1" in capsys.readouterr().err
