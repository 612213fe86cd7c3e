"""What the platform's people see of payouts, over HTTP on a real Postgres."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from payout_fakes import FakeDeps, payout_at
from prometheus_client import REGISTRY

from kernel.ids import new_id
from payout.domain.payout import Payout
from payout.domain.policy import Policy
from payout.domain.send import SendState, SendUnclear
from payout.domain.step import Step
from payout.effects.poll_sends import poll_sends
from payout.effects.process_payout import process_payout
from payout.effects.watch_doubts import watch_doubts
from payout.effects.watch_open import watch_open
from payout.usecases.note_send_report import note_send_report
from storage import Database
from testkit.fake_clock import FakeClock
from testkit.tokens import Tokens


@pytest.fixture
def admin(tokens: Tokens) -> dict[str, str]:
    return tokens.headers(new_id(), "admin")


@pytest.fixture
def deps(database: Database[Any], clock: FakeClock) -> FakeDeps:
    return FakeDeps(clock=clock, transaction=database.transaction, policy=Policy(resend_after_s=60))


async def put(deps: FakeDeps, payout: Payout) -> Payout:
    async with deps.transaction() as tx:
        await tx.payouts.add(payout, due_at=deps.now())
    return payout


async def ids(client: httpx.AsyncClient, admin: dict[str, str], query: str) -> list[str]:
    answer = await client.get(f"/admin/payouts?{query}", headers=admin)
    assert answer.status_code == 200
    return [row["id"] for row in answer.json()["data"]]


async def test_payouts_are_found_by_status_step_and_driver(
    client: httpx.AsyncClient, admin: dict[str, str], deps: FakeDeps
) -> None:
    lost = await put(deps, payout_at(Step.UNKNOWN, at=deps.now()))
    sent = await put(deps, payout_at(Step.SENT, at=deps.now() - timedelta(seconds=1)))
    done = await put(deps, payout_at(Step.COMPLETED, at=deps.now() - timedelta(seconds=2)))
    assert await ids(client, admin, "step=UNKNOWN") == [str(lost.id)]
    assert await ids(client, admin, "status=PROCESSING") == [str(lost.id), str(sent.id)]
    assert await ids(client, admin, f"driver_id={done.driver_id}") == [str(done.id)]
    assert await ids(client, admin, "status=PROCESSING&step=COMPLETED") == []
    assert await ids(client, admin, "") == [str(lost.id), str(sent.id), str(done.id)]
    first = (await client.get("/admin/payouts?limit=2", headers=admin)).json()
    assert await ids(client, admin, f"limit=2&cursor={first['next_cursor']}") == [str(done.id)]
    assert (await client.get("/admin/payouts?step=LOST", headers=admin)).status_code == 422


async def test_a_doubt_shows_its_attempts_and_nobodys_key(
    client: httpx.AsyncClient, admin: dict[str, str], deps: FakeDeps
) -> None:
    payout = await put(deps, payout_at(Step.HELD, at=deps.now()))
    deps.bank.answers, deps.bank.lost = [SendUnclear("timeout")], True
    await process_payout(deps)
    deps.clock.advance(60)
    await process_payout(deps)

    answer = await client.get(f"/admin/payouts/{payout.id}", headers=admin)

    body = answer.json()
    assert (body["status"], body["step"], body["id_envio"]) == ("PROCESSING", "SENT", payout.id.hex)
    assert [(one["outcome"], one["in_doubt"]) for one in body["attempts"]] == [
        ("unclear", True),
        ("answered", False),
    ]
    assert {one["id_envio"] for one in body["attempts"]} == {payout.id.hex}
    assert body["bank_details"]["pix_key"] == "a***@exemplo.com.br"
    for secret in ("ana@exemplo", "52998224725", "sealed"):
        assert secret not in answer.text
    assert (await client.get(f"/admin/payouts/{new_id()}", headers=admin)).status_code == 404


async def test_returns_and_contradictions_are_on_record(
    client: httpx.AsyncClient, admin: dict[str, str], deps: FakeDeps
) -> None:
    payout = await put(deps, payout_at(Step.HELD, amount="4.00", at=deps.now()))
    await process_payout(deps)
    deps.bank.decide(payout.id.hex, SendState.DONE)
    deps.bank.give_back(payout.id.hex, "2.00", "2.00", "2.00")
    deps.clock.advance(1)
    await poll_sends(deps)
    deps.bank.decide(payout.id.hex, SendState.REJECTED)
    for _ in range(2):
        async with deps.transaction() as tx:
            await note_send_report(tx, id_envio=payout.id.hex, now=deps.now())
        await poll_sends(deps)

    body = (await client.get(f"/admin/payouts/{payout.id}", headers=admin)).json()

    assert (body["status"], body["returned"]) == ("RETURNED", "4.00")
    assert [one["amount"] for one in body["returns"]] == ["2.00", "2.00"]
    assert [(one["known"], one["reported"]) for one in body["contradictions"]] == [
        ("RETURNED", "DEVOLVIDO"),
        ("RETURNED", "NAO_REALIZADO"),
    ]


async def test_only_admins_look(client: httpx.AsyncClient, tokens: Tokens) -> None:
    for path in ("/admin/payouts", f"/admin/payouts/{new_id()}"):
        for user_type in ("driver", "passenger"):
            headers = tokens.headers(new_id(), user_type)
            assert (await client.get(path, headers=headers)).status_code == 403
        assert (await client.get(path)).status_code == 401


async def test_the_oldest_doubt_is_a_metric(deps: FakeDeps) -> None:
    def oldest_s() -> float | None:
        return REGISTRY.get_sample_value("payout_unknown_oldest_seconds")

    await watch_doubts(deps)
    assert oldest_s() == 0.0
    first = await put(deps, payout_at(Step.HELD, at=deps.now()))
    deps.bank.answers, deps.bank.lost = [SendUnclear("timeout")], True
    await process_payout(deps)
    deps.clock.advance(30)
    await put(deps, payout_at(Step.UNKNOWN, at=deps.now()))
    # Its calls never got there: it waits, but there is nothing unknown about it.
    await put(deps, payout_at(Step.SENDING, at=deps.now() - timedelta(hours=1)))
    deps.clock.advance(12)
    await watch_doubts(deps)
    assert oldest_s() == 42.0
    deps.bank.decide(first.id.hex, SendState.DONE)
    await process_payout(deps)
    await watch_doubts(deps)
    assert oldest_s() == 0.0


async def test_the_oldest_open_payouts_are_a_metric(deps: FakeDeps) -> None:
    async def ages() -> list[float | None]:
        await watch_open(deps)
        labels = ({"status": status} for status in ("pending", "processing"))
        return [REGISTRY.get_sample_value("payouts_oldest_open_seconds", one) for one in labels]

    assert await ages() == [0.0, 0.0]
    for hours, step in enumerate(Step, start=1):
        await put(deps, payout_at(step, at=deps.now() - timedelta(hours=hours)))
    pending, processing = (list(Step).index(step) + 1 for step in (Step.HELD, Step.UNKNOWN))
    assert await ages() == [pending * 3600.0, processing * 3600.0]
