"""A driver's balance and financials over HTTP."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from ledger_books import Books, completed, confirmed, ready, refunded

from kernel.ids import new_id
from ledger.usecases.complete_payout import complete_payout
from ledger.usecases.hold_payout import hold_payout
from ledger.usecases.refund_payment import refund_payment
from ledger.usecases.settle_payment import settle_payment
from testkit.fake_clock import FakeClock
from testkit.tokens import Tokens


async def earn(
    books: Books, clock: FakeClock, driver_id: UUID, amount: str, commission: str = "0.00"
) -> None:
    async with books.transaction() as tx:
        await settle_payment(
            tx, paid=confirmed(amount, commission=commission, driver_id=driver_id), now=clock.now()
        )


async def test_a_driver_without_postings_has_zeros(
    client: httpx.AsyncClient, tokens: Tokens, clock: FakeClock
) -> None:
    driver_id = new_id()
    headers = tokens.headers(driver_id, "driver")

    balance = await client.get(f"/drivers/{driver_id}/balance", headers=headers)
    financials = await client.get(f"/drivers/{driver_id}/financials", headers=headers)

    zero = {
        "driver_id": str(driver_id),
        "currency": "BRL",
        "total": "0.00",
        "on_hold": "0.00",
        "available": "0.00",
        "receivable": "0.00",
        "as_of": clock.now().isoformat().replace("+00:00", "Z"),
    }
    assert (balance.status_code, balance.json()) == (200, zero)
    assert financials.json() == {
        **zero,
        "earned_today": "0.00",
        "earned_week": "0.00",
        "earned_month": "0.00",
        "rides_today": 0,
        "last_payout": None,
    }


async def test_financials_say_what_was_earned_when(
    client: httpx.AsyncClient, tokens: Tokens, books: Books, clock: FakeClock
) -> None:
    driver_id = new_id()
    start = clock.now()
    # A Wednesday in mid-month: a day, a week and a month ago are in different periods.
    wednesday = start + timedelta(days=(2 - start.weekday()) % 7)
    clock.set(wednesday.replace(day=15) + timedelta(days=(2 - wednesday.replace(day=15).weekday()) % 7))
    today = clock.now()
    for days, amount in ((40, "1.00"), (8, "2.00"), (1, "4.00")):
        clock.set(today - timedelta(days=days))
        await earn(books, clock, driver_id, amount)
    clock.set(today)
    await earn(books, clock, driver_id, "8.00")
    paid = confirmed("20.00", commission="4.00", driver_id=driver_id)
    payout = ready("10.00", driver_id=driver_id)
    async with books.transaction() as tx:
        await settle_payment(tx, paid=paid, now=today)
        await refund_payment(tx, refunded=refunded(paid, "10.00"), now=today)
        await hold_payout(tx, ready=payout, now=today)
        await complete_payout(tx, done=completed(payout, fee="0.10", at=today), now=today)

    admin = tokens.headers(new_id(), "admin")
    answer = (await client.get(f"/drivers/{driver_id}/financials", headers=admin)).json()

    assert (answer["earned_today"], answer["earned_week"], answer["earned_month"]) == (
        "16.00",
        "20.00",
        "22.00",
    )
    assert (answer["rides_today"], answer["available"], answer["total"]) == (2, "13.00", "13.00")
    assert answer["last_payout"] == {
        "payout_id": str(payout.payout_id),
        "amount": "10.00",
        "completed_at": today.isoformat().replace("+00:00", "Z"),
    }


@pytest.mark.parametrize(
    ("posted", "asked", "earned"),
    [
        # June 1st of 2026 is a Monday: its midnight in São Paulo, 03:00 UTC, begins a day, a week and a month.
        ("2026-06-01T02:59:59.999999", "2026-06-01T02:59:59.999999", ("8.00", "8.00", "8.00")),
        ("2026-06-01T02:59:59.999999", "2026-06-01T03:00:00", ("0.00", "0.00", "0.00")),
        ("2026-06-01T03:00:00", "2026-06-01T03:00:00", ("8.00", "8.00", "8.00")),
        ("2026-06-01T03:00:00", "2026-06-02T02:59:59.999999", ("8.00", "8.00", "8.00")),
        ("2026-06-01T03:00:00", "2026-06-02T03:00:00", ("0.00", "8.00", "8.00")),
        ("2026-06-01T03:00:00", "2026-06-08T02:59:59", ("0.00", "8.00", "8.00")),
        ("2026-06-01T03:00:00", "2026-06-08T03:00:00", ("0.00", "0.00", "8.00")),
        # July 1st is a Wednesday: the day before is of its week and not of its month.
        ("2026-07-01T02:59:59", "2026-07-01T03:00:00", ("0.00", "8.00", "0.00")),
    ],
)
async def test_periods_begin_at_midnight_in_sao_paulo(
    client: httpx.AsyncClient,
    tokens: Tokens,
    books: Books,
    clock: FakeClock,
    posted: str,
    asked: str,
    earned: tuple[str, str, str],
) -> None:
    driver_id = new_id()
    clock.set(datetime.fromisoformat(posted).replace(tzinfo=UTC))
    await earn(books, clock, driver_id, "8.00")
    clock.set(datetime.fromisoformat(asked).replace(tzinfo=UTC))
    headers = tokens.headers(driver_id, "driver")
    answer = (await client.get(f"/drivers/{driver_id}/financials", headers=headers)).json()
    assert (answer["earned_today"], answer["earned_week"], answer["earned_month"]) == earned
    assert answer["rides_today"] == (1 if earned[0] != "0.00" else 0)


@pytest.mark.parametrize("path", ["balance", "financials"])
async def test_anothers_money_does_not_exist(client: httpx.AsyncClient, tokens: Tokens, path: str) -> None:
    url = f"/drivers/{new_id()}/{path}"
    answers = [
        (await client.get(url, headers=headers)).status_code
        for headers in (tokens.headers(new_id(), "driver"), tokens.headers(new_id(), "passenger"), {})
    ]
    assert answers == [404, 403, 401]


async def test_a_balance_follows_the_postings(
    client: httpx.AsyncClient, tokens: Tokens, books: Books, clock: FakeClock
) -> None:
    driver_id = new_id()
    await earn(books, clock, driver_id, "50.00", "10.00")
    async with books.transaction() as tx:
        await hold_payout(tx, ready=ready("15.00", driver_id=driver_id), now=clock.now())

    answer = await client.get(f"/drivers/{driver_id}/balance", headers=tokens.headers(driver_id, "driver"))

    body = answer.json()
    assert (body["total"], body["on_hold"], body["available"], body["receivable"]) == (
        "40.00",
        "15.00",
        "25.00",
        "0.00",
    )
