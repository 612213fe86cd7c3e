"""Payouts over HTTP on a real Postgres."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from payout_fakes import DETAILS, FakeVault

from contracts.audit import AuditRecorded
from contracts.payout import PayoutRequested
from kernel.ids import new_id
from payout.domain.known_balance import KnownBalance
from payout.domain.standing import Standing
from payout.usecases.follow_balance import follow_balance
from payout.usecases.follow_standing import follow_standing
from payout.usecases.prepare_payout import prepare_payout
from storage import Database
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.outbox import published
from testkit.tokens import Tokens


@pytest.fixture
async def driver_id(database: Database[Any], clock: FakeClock) -> UUID:
    """A driver who is known to have 100.00."""
    driver_id = new_id()
    balance = KnownBalance(driver_id=driver_id, available=Decimal("100.00"), version=1)
    async with database.transaction() as tx:
        await follow_balance(tx, balance=balance, now=clock.now())
        await follow_standing(tx, standing=Standing(driver_id=driver_id), now=clock.now())
    return driver_id


async def ask(
    client: httpx.AsyncClient, headers: dict[str, str], amount: Any, key: str | None = None
) -> httpx.Response:
    sent = {**headers, "Idempotency-Key": key or new_id().hex}
    return await client.post("/payouts", json={"amount": amount}, headers=sent)


async def test_a_payout_is_requested(
    client: httpx.AsyncClient, tokens: Tokens, driver_id: UUID, urls: DatabaseUrls, clock: FakeClock
) -> None:
    headers = tokens.headers(driver_id, "driver")
    answer = await ask(client, headers, 60)

    body = answer.json()
    assert answer.status_code == 201
    assert body == {
        "id": body["id"],
        "driver_id": str(driver_id),
        "amount": "60.00",
        "status": "PENDING",
        "payout_method": "pix",
        "bank_details": None,
        "provider": "efi",
        "provider_transaction_id": None,
        "created_at": clock.now().isoformat().replace("+00:00", "Z"),
        "completed_at": None,
        "failed_at": None,
        "failure_reason": None,
        "returned": "0.00",
    }
    assert (await client.get(f"/payouts/{body['id']}", headers=headers)).json() == body
    assert [type(fact) for fact, _, _ in await published(urls)] == [PayoutRequested, AuditRecorded]


REFUSED = (
    ("100.01", "insufficient_balance"),
    ("0.99", "amount_below_minimum"),
    ("1.001", "validation_error"),
    ("-5", "validation_error"),
    (None, "validation_error"),
)


async def test_what_cannot_be_paid_is_refused(
    client: httpx.AsyncClient, tokens: Tokens, driver_id: UUID
) -> None:
    for amount, code in REFUSED:
        answer = await ask(client, tokens.headers(driver_id, "driver"), amount)
        assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_without_a_known_balance_nothing_can_be_asked(
    client: httpx.AsyncClient, tokens: Tokens, database: Database[Any], clock: FakeClock
) -> None:
    driver_id = new_id()
    async with database.transaction() as tx:
        await follow_standing(tx, standing=Standing(driver_id=driver_id), now=clock.now())
    answer = await ask(client, tokens.headers(driver_id, "driver"), "1.00")
    assert (answer.status_code, answer.json()["code"]) == (422, "insufficient_balance")


async def test_a_repeated_key_asks_once(client: httpx.AsyncClient, tokens: Tokens, driver_id: UUID) -> None:
    headers = tokens.headers(driver_id, "driver")
    first = await ask(client, headers, "60.00", "k1")
    again = await ask(client, headers, "60.00", "k1")
    other = await ask(client, headers, "61.00", "k1")
    none = await client.post("/payouts", json={"amount": "1.00"}, headers=headers)

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (none.status_code, none.json()["code"]) == (400, "idempotency_key_required")
    assert len((await client.get("/payouts", headers=headers)).json()["data"]) == 1


async def test_fifty_requests_at_once_ask_for_no_more_than_there_is(
    client: httpx.AsyncClient, tokens: Tokens, driver_id: UUID
) -> None:
    headers = tokens.headers(driver_id, "driver")
    answers = await asyncio.gather(*(ask(client, headers, "30.00") for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [422] * 47


async def test_one_key_fifty_times_asks_once(
    client: httpx.AsyncClient, tokens: Tokens, driver_id: UUID
) -> None:
    headers = tokens.headers(driver_id, "driver")
    answers = await asyncio.gather(*(ask(client, headers, "10.00", "same") for _ in range(50)))
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    refused = {answer.json()["code"] for answer in answers if answer.status_code != 201}
    assert len(made) == 1
    assert refused <= {"request_in_progress"}


async def test_drivers_see_their_own_and_admins_all(
    client: httpx.AsyncClient, tokens: Tokens, driver_id: UUID
) -> None:
    headers = tokens.headers(driver_id, "driver")
    made = [(await ask(client, headers, "10.00")).json()["id"] for _ in range(3)]
    other, admin = tokens.headers(new_id(), "driver"), tokens.headers(new_id(), "admin")

    first = (await client.get("/payouts?limit=2", headers=headers)).json()
    rest = (await client.get(f"/payouts?limit=2&cursor={first['next_cursor']}", headers=headers)).json()
    assert [row["id"] for row in first["data"] + rest["data"]] == made[::-1]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert (await client.get("/payouts", headers=other)).json()["data"] == []
    assert len((await client.get("/payouts", headers=admin)).json()["data"]) == 3
    assert (await client.get(f"/payouts?driver_id={new_id()}", headers=admin)).json()["data"] == []
    assert (await client.get(f"/payouts/{made[0]}", headers=other)).status_code == 404
    assert (await client.get(f"/payouts/{made[0]}", headers=admin)).status_code == 200


async def test_only_drivers_ask(client: httpx.AsyncClient, tokens: Tokens) -> None:
    for user_type in ("passenger", "admin"):
        assert (await ask(client, tokens.headers(new_id(), user_type), "1.00")).status_code == 403
    assert (await ask(client, {}, "1.00")).status_code == 401


async def test_bank_details_are_shown_masked(
    client: httpx.AsyncClient, tokens: Tokens, driver_id: UUID, database: Database[Any], clock: FakeClock
) -> None:
    headers = tokens.headers(driver_id, "driver")
    payout_id = (await ask(client, headers, "10.00")).json()["id"]
    snapshot = FakeVault().seal(DETAILS)
    async with database.transaction() as tx:
        await prepare_payout(tx, payout_id=UUID(payout_id), snapshot=snapshot, now=clock.now())

    answer = await client.get(f"/payouts/{payout_id}", headers=headers)

    assert answer.json()["bank_details"] == {
        "pix_key": "a***@exemplo.com.br",
        "pix_key_type": "email",
        "cpf": "***.982.247-**",
    }
    assert snapshot.sealed not in answer.text
