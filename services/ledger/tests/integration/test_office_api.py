"""Reports, statements, days and cases over HTTP."""

import asyncio
import csv
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import httpx
import pytest
from ledger_books import Books, confirmed, ready, refunded
from ledger_office import closed, consume, paid_out, received_line

from kernel.business_day import business_day
from kernel.ids import new_id
from kernel.money import money
from ledger.domain.payout import INSUFFICIENT_BALANCE
from ledger.usecases.recheck_statements import recheck_statements
from ledger.usecases.take_day_snapshots import take_day_snapshots
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.outbox import published
from testkit.tokens import Tokens

Get = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def get(client: httpx.AsyncClient, tokens: Tokens) -> Get:
    headers = tokens.headers(new_id(), "admin")

    async def get(path: str, **params: Any) -> httpx.Response:
        return await client.get(path, params=params, headers=headers)

    return get


async def test_the_reports_agree_with_each_other(get: Get, books: Books, clock: FakeClock) -> None:
    days = []
    for _ in range(3):
        now = clock.now()
        paid = confirmed("50.00", commission="10.00", fee="0.50", at=now)
        held, done = paid_out(paid.driver_id, "30.00", at=now, fee="0.20")
        await consume(books, paid, held, done, refunded(paid, "20.00"), now=now)
        days.append(str(business_day(now)))
        clock.advance(86_400)
    async with books.transaction() as tx:
        await take_day_snapshots(tx, now=clock.now(), limit=1)

    trial = (await get("/admin/ledger/trial-balance", day=days[-1])).json()
    sheet = (await get("/admin/ledger/balance-sheet", day=days[-1])).json()
    income = (await get("/admin/ledger/income-statement", **{"from": days[1], "to": days[2]})).json()
    report = (await get("/admin/financials/report", **{"from": days[0], "to": days[2]})).json()
    bank = (await get("/admin/ledger/accounts/1100/balance", as_of=clock.now().isoformat())).json()
    chart = (await get("/admin/ledger/accounts")).json()["data"]

    assert (trial["difference"], sheet["difference"]) == ("0.00", "0.00")
    by_code = {line["code"]: line["balance"] for line in trial["lines"]}
    assert bank["balance"] == by_code["1100"] == report["closing"]["bank"] == "-2.10"
    assert {a["code"]: a["balance"] for a in chart if a["balance"] is not None} == by_code
    assert {a["code"] for a in chart if a["balance"] is None} == {"1000", "2000", "3000", "4000", "5000"}
    assert (income["income_total"], income["expenses_total"], income["result"]) == ("12.00", "1.40", "10.60")
    assert sheet["result"] == "15.90"
    assert report["days"][0]["flows"] == {
        "rides_paid": 1,
        "gross_revenue": "50.00",
        "commission": "10.00",
        "drivers_part": "40.00",
        "fees": "0.70",
        "refunds": "20.00",
        "refunds_of_commission": "4.00",
        "refunds_of_drivers_part": "16.00",
        "refunds_borne": "0.00",
        "credits_refunded": "0.00",
        "payouts_completed": "30.00",
        "payouts_completed_count": 1,
        "payouts_returned": "0.00",
        "payouts_returned_count": 0,
    }
    assert (report["total"]["rides_paid"], report["closing"]["drivers_receivable"]) == (3, "18.00")
    assert [day["closing"]["bank"] for day in report["days"]] == ["-0.70", "-1.40", "-2.10"]


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/admin/financials/report", {"from": "2026-03-02", "to": "2026-03-01"}, 422),
        ("/admin/financials/report", {"from": "2026-01-01", "to": "2026-12-31"}, 422),
        ("/admin/financials/report", {"from": "0001-01-01", "to": "0001-01-02"}, 422),
        ("/admin/financials/report", {}, 422),
        ("/admin/ledger/income-statement", {"from": "2026-03-02", "to": "2026-03-01"}, 422),
        ("/admin/ledger/trial-balance", {"day": "9999-12-31"}, 422),
        ("/admin/ledger/accounts/1000/balance", {}, 404),
        ("/admin/ledger/accounts/nope/balance", {}, 404),
        ("/admin/ledger/accounts/1100/balance", {"owner_id": str(new_id())}, 422),
        ("/admin/ledger/accounts/1100/balance", {"as_of": "0001-01-01T00:00:00Z"}, 422),
        ("/admin/ledger/journals/nope", {}, 404),
        ("/admin/reconciliation/cases/01a20dc1-f5a7-72ed-aa07-11c876f4d2cc", {}, 404),
        ("/admin/reconciliation/days/2026-03-01", {}, 404),
        ("/admin/reconciliation/days/2026-03-99", {}, 404),
        ("/admin/reconciliation/days", {"cursor": "bm8"}, 422),
        ("/admin/reconciliation/cases", {"kind": "nonsense"}, 422),
    ],
)
async def test_what_is_not_there_or_makes_no_sense_is_told(
    get: Get, path: str, params: dict[str, str], status: int
) -> None:
    assert (await get(path, **params)).status_code == status


async def test_only_admins_see_the_books(client: httpx.AsyncClient, tokens: Tokens) -> None:
    for path in (
        "/admin/ledger/accounts",
        "/admin/ledger/trial-balance",
        "/admin/ledger/manual-journals",
        "/admin/ledger/closed-days",
        "/admin/reconciliation/cases",
        "/admin/reconciliation/days",
        "/admin/financials/report",
    ):
        answers = [
            (await client.get(path, headers=headers)).status_code
            for headers in (tokens.headers(new_id(), "driver"), {})
        ]
        assert answers == [403, 401], path


async def test_a_days_cases_are_listed_resolved_and_then_the_day_is_closed(
    get: Get, client: httpx.AsyncClient, tokens: Tokens, books: Books, clock: FakeClock
) -> None:
    now = clock.now()
    day = str(business_day(now))
    paid, stray = confirmed("50.00", at=now), confirmed("9.00", commission="0.00", at=now)
    lines = [received_line(paid, day=day), received_line(stray, day=day)]
    await consume(books, paid, *lines, closed(lines, day=day, at=now), now=now)
    async with books.transaction() as tx:
        await recheck_statements(tx, grace_s=0, new_id=new_id, now=now)
    clock.advance(86_400)

    [case] = (await get("/admin/reconciliation/cases", status="open", kind="missing_in_ledger")).json()[
        "data"
    ]
    report = (await get(f"/admin/reconciliation/days/{day}")).json()
    assert (report["statement"]["lines"], report["statement"]["matched"], report["open_cases"]) == (2, 1, 1)
    assert (report["difference"], report["books"]["came_in"]) == ("-9.00", "50.00")
    assert (await get("/admin/reconciliation/days")).json()["data"] == [report]

    person = tokens.headers(new_id(), "admin")
    order = {"day": day}
    refused = await client.post("/admin/ledger/closed-days", json=order, headers=person)
    assert (refused.status_code, refused.json()["code"]) == (409, "day_not_reconciled")
    path = f"/admin/reconciliation/cases/{case['id']}"
    resolution = {"resolution": "written_off", "note": "a test Pix of the bank"}
    resolved = await client.post(f"{path}/resolve", json=resolution, headers=person)
    assert (resolved.status_code, resolved.json()["status"]) == (200, "resolved")
    assert (await get(path)).json() == resolved.json()
    repeated = await client.post(f"{path}/resolve", json=resolution, headers=person)
    assert (repeated.status_code, repeated.json()["code"]) == (409, "case_already_resolved")
    done = await client.post("/admin/ledger/closed-days", json=order, headers=person)
    assert (done.status_code, done.json()["day"]) == (201, day)
    assert [one["day"] for one in (await get("/admin/ledger/closed-days")).json()["data"]] == [day]


async def test_a_statement_ends_where_the_balance_is(
    client: httpx.AsyncClient, tokens: Tokens, books: Books, clock: FakeClock
) -> None:
    driver_id = new_id()
    headers = tokens.headers(driver_id, "driver")
    first = business_day(clock.now())
    for n in range(3):
        now = clock.now()
        paid = confirmed("50.00", commission="10.00", driver_id=driver_id, at=now)
        held, done = paid_out(driver_id, "25.00", at=now)
        await consume(books, paid, held, *([done] if n else []), refunded(paid, "20.00"), now=now)
        clock.advance(86_400)
    async with books.transaction() as tx:
        await take_day_snapshots(tx, now=clock.now(), limit=2)
    last = business_day(clock.now())
    path = f"/drivers/{driver_id}/statement"

    whole = (await client.get(path, params={"from": str(first), "to": str(last)}, headers=headers)).json()
    balance = (await client.get(f"/drivers/{driver_id}/balance", headers=headers)).json()
    assert whole["closing"] == {name: balance[name] for name in whole["closing"]}
    assert whole["opening"]["total"] == "0.00"
    running = Decimal(0)
    for line in whole["lines"]:
        running += Decimal(line["change"]["total"])
        assert Decimal(line["balance"]["total"]) == running
    second = str(first + timedelta(days=1))
    part = (await client.get(path, params={"from": second, "to": second}, headers=headers)).json()
    inside = [line for line in whole["lines"] if line["posted_on"] == second]
    assert (part["lines"], part["closing"]) == (inside, inside[-1]["balance"])

    sheet = await client.get(
        path, params={"from": str(first), "to": str(last), "format": "csv"}, headers=headers
    )
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    assert sheet.headers["content-disposition"].startswith("attachment")
    rows = list(csv.reader(StringIO(sheet.content.decode("utf-8-sig")), delimiter=";"))
    assert (rows[0][0], len(rows)) == ("data", len(whole["lines"]) + 3)
    assert rows[-1][10] == balance["total"].replace(".", ",")
    english = await client.get(
        path,
        params={"from": str(first), "to": str(last), "format": "csv"},
        headers=headers | {"accept-language": "en"},
    )
    assert english.content.decode("utf-8-sig").startswith("date,occurred at")

    params = {"from": str(first), "to": str(last)}
    strangers = (tokens.headers(new_id(), "driver"), tokens.headers(new_id(), "passenger"), {})
    answers = [(await client.get(path, params=params, headers=who)).status_code for who in strangers]
    assert answers == [404, 403, 401]
    assert (
        await client.get(path, params=params, headers=tokens.headers(new_id(), "admin"))
    ).status_code == 200
    too_long = {"from": "2026-01-01", "to": "2026-04-03"}
    assert (await client.get(path, params=too_long, headers=headers)).json()["code"] == "invalid_period"


async def test_a_balance_is_never_torn_and_is_what_a_payout_may_take(
    client: httpx.AsyncClient, tokens: Tokens, books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    """Payments and holds run while the driver reads: what is held is never seen twice, nor missing."""
    driver_id, now = new_id(), clock.now()
    headers = tokens.headers(driver_id, "driver")
    await consume(books, confirmed("1000.00", commission="0.00", driver_id=driver_id, at=now), now=now)
    writing = True

    async def write() -> None:
        nonlocal writing
        try:
            for _ in range(30):
                await consume(books, ready("10.00", driver_id=driver_id), now=now)
        finally:
            writing = False

    async def read() -> int:
        reads = 0
        while writing:
            for path in ("balance", "financials"):
                body = (await client.get(f"/drivers/{driver_id}/{path}", headers=headers)).json()
                total, available, on_hold = (Decimal(body[n]) for n in ("total", "available", "on_hold"))
                assert (total, total) == (available + on_hold, Decimal("1000.00"))
                reads += 1
        return reads

    _, *reads = await asyncio.gather(write(), read(), read())
    assert min(reads) > 0

    # Idle now: what was just read is allowed in full, and a centavo more is not.
    body = (await client.get(f"/drivers/{driver_id}/balance", headers=headers)).json()
    available = Decimal(body["available"])
    await consume(
        books,
        ready(str(available + money("0.01")), driver_id=driver_id),
        ready(str(available), driver_id=driver_id),
        now=now,
    )
    decided = [
        fact
        for fact, _, _ in await published(urls)
        if fact.fact in ("ledger.payout_held", "ledger.payout_refused")
    ]
    assert [fact.fact for fact in decided][-2:] == ["ledger.payout_refused", "ledger.payout_held"]
    assert getattr(decided[-2], "reason", None) == INSUFFICIENT_BALANCE
