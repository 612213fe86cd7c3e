"""Manual journals: proposed by one admin, approved by another; the database insists."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from ledger_books import Books, of_type, query, trial_balance

from contracts.audit import AuditRecorded
from contracts.ledger import LedgerPosted
from kernel.ids import new_id
from kernel.money import money
from ledger.domain.instruction import EntityType
from ledger.domain.journal import Draft, credit, debit
from ledger.domain.manual import MANUAL, manual_entry
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.outbox import published
from testkit.tokens import Tokens

PATH = "/admin/ledger/manual-journals"
CAPITAL: dict[str, Any] = {
    "description": "Capital dos sócios",
    "reason": "contrato social de março",
    "lines": [
        {"account_code": "1100", "entry_type": "DEBIT", "amount": "1000.00"},
        {"account_code": "3100", "entry_type": "CREDIT", "amount": 1000},
    ],
}


class Person:
    """An admin at the API."""

    def __init__(self, client: httpx.AsyncClient, tokens: Tokens) -> None:
        self.id = new_id()
        self._client = client
        self._headers = tokens.headers(self.id, "admin")

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        headers = {**self._headers, "idempotency-key": key or new_id().hex}
        return await self._client.post(path, json=body, headers=headers)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self._client.get(path, params=params, headers=self._headers)


@pytest.fixture
def ana(client: httpx.AsyncClient, tokens: Tokens) -> Person:
    return Person(client, tokens)


@pytest.fixture
def rui(client: httpx.AsyncClient, tokens: Tokens) -> Person:
    return Person(client, tokens)


async def test_two_people_post_a_journal_once(ana: Person, rui: Person, urls: DatabaseUrls) -> None:
    proposed = await ana.post(PATH, CAPITAL, key="k1")
    again = await ana.post(PATH, CAPITAL, key="k1")
    assert (proposed.status_code, again.json(), again.headers["idempotency-replayed"]) == (
        201,
        proposed.json(),
        "true",
    )
    assert await trial_balance(urls) == {}
    path = f"{PATH}/{proposed.json()['id']}"

    own = await ana.post(f"{path}/approve")
    assert (own.status_code, own.json()["code"]) == (403, "four_eyes")
    approved = await rui.post(f"{path}/approve", key="k2")
    repeated = await rui.post(f"{path}/approve", key="k2")
    late = await rui.post(f"{path}/approve")
    assert (approved.status_code, repeated.status_code) == (200, 200)
    assert (late.status_code, late.json()["code"]) == (409, "already_decided")
    assert (approved.json()["status"], approved.json()["decided_by"]) == ("approved", str(rui.id))
    assert await trial_balance(urls) == {"1100": money("1000.00"), "3100": money("1000.00")}
    posted = await ana.get(f"/admin/ledger/journals/{approved.json()['transaction_id']}")
    assert posted.json()["amount"] == "1000.00"
    facts = await published(urls)
    assert len(of_type(facts, LedgerPosted)) == 1
    assert [(record.action, record.user_id) for record in of_type(facts, AuditRecorded)] == [
        ("propose_manual_journal", ana.id),
        ("create_journal_entry", rui.id),
        ("approve_manual_journal", rui.id),
    ]


async def test_fifty_approvals_post_once(
    client: httpx.AsyncClient, ana: Person, tokens: Tokens, urls: DatabaseUrls
) -> None:
    proposed = (await ana.post(PATH, CAPITAL)).json()
    path = f"{PATH}/{proposed['id']}/approve"
    answers = await asyncio.gather(*(Person(client, tokens).post(path) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 49
    assert (await trial_balance(urls))["1100"] == money("1000.00")


async def test_a_rejected_proposal_is_never_posted(ana: Person, rui: Person, urls: DatabaseUrls) -> None:
    proposed = (await ana.post(PATH, CAPITAL)).json()
    rejected = await rui.post(f"{PATH}/{proposed['id']}/reject", {"reason": "wrong month"})
    assert (rejected.status_code, rejected.json()["decision_reason"]) == (200, "wrong month")
    assert (await rui.post(f"{PATH}/{proposed['id']}/approve")).json()["code"] == "already_decided"
    assert await trial_balance(urls) == {}
    second = (await ana.post(PATH, CAPITAL)).json()
    assert (await ana.post(f"{PATH}/{second['id']}/reject", {"reason": "mine"})).status_code == 200
    actions = [record.action for record in of_type(await published(urls), AuditRecorded)]
    assert actions.count("reject_manual_journal") == 2


async def test_proposals_are_listed_newest_first(ana: Person, clock: FakeClock) -> None:
    made = []
    for _ in range(3):
        made.append((await ana.post(PATH, CAPITAL)).json()["id"])
        clock.advance(1)
    await ana.post(f"{PATH}/{made[0]}/reject", {"reason": "no"})
    first = (await ana.get(PATH, limit=2)).json()
    rest = (await ana.get(PATH, limit=2, cursor=first["next_cursor"])).json()
    assert [p["id"] for p in first["data"] + rest["data"]] == made[::-1]
    waiting = (await ana.get(PATH, status="proposed")).json()
    assert [p["id"] for p in waiting["data"]] == made[:0:-1]
    assert (await ana.get(f"{PATH}/{made[0]}")).json()["status"] == "rejected"
    assert (await ana.get(f"{PATH}/{new_id()}")).status_code == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"lines": [CAPITAL["lines"][0], CAPITAL["lines"][0]]}, "unbalanced_journal"),
        (
            {"lines": [CAPITAL["lines"][0], {**CAPITAL["lines"][1], "account_code": "3000"}]},
            "unknown_account",
        ),
        (
            {"lines": [CAPITAL["lines"][0], {**CAPITAL["lines"][1], "account_code": "2100"}]},
            "invalid_journal",
        ),
        ({"lines": [{**line, "amount": "99999999.99"} for line in CAPITAL["lines"] * 2]}, "invalid_journal"),
        ({"reason": ""}, "validation_error"),
        ({"lines": []}, "validation_error"),
    ],
)
async def test_what_double_entry_does_not_allow_is_not_proposed(
    ana: Person, change: dict[str, Any], code: str
) -> None:
    answer = await ana.post(PATH, {**CAPITAL, **change})
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_proposal_that_takes_more_than_a_driver_has_is_refused_when_approved(
    ana: Person, rui: Person, urls: DatabaseUrls
) -> None:
    driver = str(new_id())
    lines = [
        {"account_code": "2100", "entry_type": "DEBIT", "amount": "1.00", "driver_id": driver},
        {"account_code": "4300", "entry_type": "CREDIT", "amount": "1.00"},
    ]
    proposed = (await ana.post(PATH, {**CAPITAL, "lines": lines})).json()
    refused = await rui.post(f"{PATH}/{proposed['id']}/approve")
    assert (refused.status_code, refused.json()["code"]) == (422, "negative_balance")
    assert (await ana.get(f"{PATH}/{proposed['id']}")).json()["status"] == "proposed"
    assert await trial_balance(urls) == {}


INSERT = """
INSERT INTO manual_journals (id, transaction_id, description, reason, lines, amount, status, proposed_by,
                             proposed_at, decided_by, decided_at)
VALUES ($1, $2, 'x', 'x', '[]', 1, $3, $4, now(), $5, now())"""


@pytest.mark.parametrize("role", ["app_url", "owner_url", "admin_url"])
async def test_the_database_takes_no_approval_of_ones_own(ana: Person, urls: DatabaseUrls, role: str) -> None:
    proposed = (await ana.post(PATH, CAPITAL)).json()
    approve = (
        "UPDATE manual_journals SET status = 'approved', decided_by = $2, decided_at = now() WHERE id = $1"
    )
    connection = await asyncpg.connect(getattr(urls, role))
    try:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(approve, UUID(proposed["id"]), ana.id)
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(INSERT, new_id(), "x", "approved", ana.id, ana.id)
        for change in ("reason = 'y'", "amount = 2", "proposed_by = id"):
            with pytest.raises(asyncpg.RestrictViolationError):
                await connection.execute(f"UPDATE manual_journals SET {change}")
        await connection.execute(approve, UUID(proposed["id"]), new_id())
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute("UPDATE manual_journals SET decided_by = $1", new_id())
        for attack in ("DELETE FROM manual_journals", "TRUNCATE manual_journals"):
            with pytest.raises((asyncpg.RestrictViolationError, asyncpg.InsufficientPrivilegeError)):
                await connection.execute(attack)
    finally:
        await connection.close()


async def test_the_database_takes_no_manual_journal_that_nobody_approved(
    books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    draft = Draft(
        transaction_id="capital_alone",
        event_type=MANUAL,
        entity_type=EntityType.MANUAL,
        entity_id="capital_alone",
        description="Capital",
        lines=(debit("1100", money(1)), credit("3100", money(1))),
    )
    with pytest.raises(asyncpg.PostgresError, match="approved proposal"):
        async with books.transaction() as tx:
            tx.book.add(manual_entry(draft, now=clock.now()), now=clock.now())
    assert await query(urls, "SELECT * FROM journals") == []
