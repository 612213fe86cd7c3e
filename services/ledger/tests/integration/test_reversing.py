"""Reversals on the real database: once, whoever asks and however often; earnings follow."""

import asyncio
from typing import Any

import httpx
from ledger_books import (
    Books,
    assert_sound,
    confirmed,
    mismatch,
    of_type,
    query,
    refunded,
    trial_balance,
)
from ledger_office import admin, capital, consume, credit_refunded, paid_out, post_manual
from ledger_three_journals import PARTS, refund_in_three, settlement_in_three

from contracts.audit import AuditRecorded
from contracts.ledger import LedgerReversed
from kernel.ids import new_id
from kernel.money import ZERO, money
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.outbox import published
from testkit.tokens import Tokens


async def reverse(
    client: httpx.AsyncClient, tokens: Tokens, name: str, *, key: str | None = None
) -> httpx.Response:
    headers = tokens.headers(admin().user_id or new_id(), "admin") | {"idempotency-key": key or new_id().hex}
    return await client.post(
        f"/admin/ledger/journals/{name}/reversal", json={"reason": "posted by mistake"}, headers=headers
    )


async def test_fifty_people_reverse_a_journal_once(
    client: httpx.AsyncClient, tokens: Tokens, books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    paid = confirmed("50.00", commission="10.00", at=clock.now())
    await consume(books, paid, now=clock.now())
    name = f"payment_{paid.payment_id}"
    [row] = await query(urls, "SELECT id FROM journals WHERE transaction_id = $1", name)

    answers = await asyncio.gather(
        *(reverse(client, tokens, name if n % 2 else str(row["id"])) for n in range(50))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"already_reversed"}
    [done] = [answer.json() for answer in answers if answer.status_code == 201]
    assert (done["transaction_id"], done["amount"], done["reverses"]) == (
        f"{name}_reversal",
        "50.00",
        str(row["id"]),
    )
    facts = await published(urls)
    assert len(of_type(facts, LedgerReversed)) == 1
    assert [(r.action, r.reason) for r in of_type(facts, AuditRecorded)] == [
        ("reverse_transaction", "posted by mistake")
    ]
    again = await reverse(client, tokens, done["id"])
    assert (again.status_code, again.json()["code"]) == (409, "not_reversible")
    assert (await reverse(client, tokens, "nothing")).status_code == 404
    await assert_sound(urls)


async def test_a_partly_refunded_payment_is_reversed_for_the_rest_and_earnings_follow(
    client: httpx.AsyncClient, tokens: Tokens, books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    paid = confirmed("100.00", commission="20.00", at=now)
    other = confirmed("10.00", commission="2.00", driver_id=paid.driver_id, at=now)
    ready, done = paid_out(paid.driver_id, "70.00", at=now)
    await consume(books, paid, ready, done, refunded(paid, "5.00"), other, now=now)

    async def financials() -> dict[str, Any]:
        path = f"/drivers/{paid.driver_id}/financials"
        answer = await client.get(path, headers=tokens.headers(paid.driver_id, "driver"))
        body: dict[str, Any] = answer.json()
        return body

    before = await financials()
    assert (before["earned_today"], before["available"]) == ("84.00", "14.00")
    for part in ("commission", "settlement"):
        assert (await reverse(client, tokens, f"{part}_{paid.payment_id}")).status_code == 404
    answer = await reverse(client, tokens, f"payment_{paid.payment_id}")
    # The sum of one side: 95.00 are undone as fare, as its division and as what came in.
    assert (answer.status_code, answer.json()["amount"]) == (201, "95.00")
    after = await financials()
    # 76.00 of the driver's part were left; 14.00 they still had, 62.00 they owe.
    assert (after["available"], after["receivable"]) == ("0.00", "62.00")
    assert (after["earned_today"], after["earned_week"], after["earned_month"]) == ("8.00", "8.00", "8.00")
    balances = await trial_balance(urls)
    assert (balances["4200"], balances["1350"]) == (money("2.00"), money("62.00"))
    # Of the bank's 110.00 there went 70.00 to the driver and 5.00 back to the passenger; 95.00 never came in.
    assert (balances["1100"], balances["1300"], balances["4100"]) == (money("-60.00"), ZERO, ZERO)
    await assert_sound(urls)


async def test_a_payment_that_was_posted_in_three_journals_is_refunded_and_reversed_as_ever(
    client: httpx.AsyncClient, tokens: Tokens, books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    """As old books have it: three journals, a refund in three, then today's refund and a reversal of each."""
    now = clock.now()
    paid = confirmed("100.00", commission="20.00", at=now)
    async with books.transaction() as tx:
        tx.book.add(settlement_in_three(paid), now=now)
    async with books.transaction() as tx:
        tx.book.add(refund_in_three(refunded(paid, "5.00"), commission="1.00", earned="4.00"), now=now)
    second = refunded(paid, "10.00", total="15.00")
    await consume(books, second, now=now)

    [refund] = await query(
        urls, "SELECT * FROM journals WHERE transaction_id = $1", f"refund_{second.refund_id}"
    )
    assert refund["line_count"] == 7
    balances = await trial_balance(urls)
    assert [balances[code] for code in ("1100", "2100", "4200")] == [money(n) for n in (85, 68, 17)]

    for part in PARTS:
        answer = await reverse(client, tokens, f"{part}_{paid.payment_id}")
        assert (answer.status_code, answer.json()["amount"]) == (201, "85.00")
    assert set((await trial_balance(urls)).values()) == {ZERO}
    await assert_sound(urls)


async def test_a_refund_and_a_reversal_at_once_take_back_the_payment_once(
    client: httpx.AsyncClient, tokens: Tokens, books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    payments = [confirmed("50.00", commission="10.00", at=now) for _ in range(8)]
    await consume(books, *payments, now=now)
    await asyncio.gather(
        *(consume(books, refunded(paid, "20.00"), now=now) for paid in payments),
        *(reverse(client, tokens, f"payment_{paid.payment_id}") for paid in payments),
        return_exceptions=True,
    )
    undone = """
SELECT o.id FROM ledger_entries o JOIN ledger_entries r ON r.reversal_entry_id = o.id
GROUP BY o.id, o.amount HAVING sum(r.amount) > o.amount"""
    assert await query(urls, undone) == []
    await assert_sound(urls)


async def test_a_credit_and_its_reversal_never_give_back_more_than_came(
    client: httpx.AsyncClient, tokens: Tokens, books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    now = clock.now()
    found = [mismatch("5.00") for _ in range(8)]
    await consume(books, *found, now=now)
    ids = {
        row["transaction_id"]: row["id"]
        for row in await query(urls, "SELECT id, transaction_id FROM journals")
    }
    await asyncio.gather(
        *(consume(books, credit_refunded(one, "3.00", at=now), now=now) for one in found),
        *(reverse(client, tokens, str(ids[f"pix_{one.external_id}"])) for one in found),
        return_exceptions=True,
    )
    assert (await trial_balance(urls)).get("2900", money(0)) == 0
    await assert_sound(urls)


async def test_a_reversal_is_repeated_with_its_key(
    client: httpx.AsyncClient, tokens: Tokens, books: Books, clock: FakeClock
) -> None:
    name = await post_manual(books, *capital(), now=clock.now())
    headers = tokens.headers(new_id(), "admin") | {"idempotency-key": "k"}
    path = f"/admin/ledger/journals/{name}/reversal"
    first, second = [await client.post(path, json={"reason": "x"}, headers=headers) for _ in range(2)]
    assert (first.status_code, second.status_code, second.json()) == (201, 201, first.json())
    without = await client.post(path, json={"reason": "x"}, headers=tokens.headers(new_id(), "admin"))
    assert without.json()["code"] == "idempotency_key_required"
