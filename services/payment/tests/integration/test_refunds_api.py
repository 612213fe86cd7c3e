"""Giving money back, and the statement, over HTTP on a real database."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
from payment_bank import BankWithBooks
from payment_fakes import a_pix
from payment_harness import Payment
from prometheus_client import REGISTRY

from contracts.audit import AuditRecorded
from contracts.payment import PaymentCreditRefunded, PaymentRefunded, PaymentRefundFailed, StatementClosed
from kernel.business_day import business_day
from payment.domain.provider import ProviderRefused, ProviderUnclear
from payment.domain.received import Source
from payment.domain.statement import due_day
from payment.effects.apply_received import apply_received
from payment.effects.expire_pix_charges import expire_pix_charges
from payment.effects.process_webhooks import process_webhooks
from payment.effects.publish_statement import publish_statement
from payment.effects.reconcile_pix_charges import reconcile_pix_charges
from payment.effects.settle_devolutions import settle_devolutions
from payment.effects.submit_charges import submit_charges
from payment.effects.submit_refunds import submit_refunds
from payment.effects.watch_refunds import watch_refunds
from payment.usecases.expire_charge import expire_charge
from testkit import published


def admin(payment: Payment, *, key: str | None = None) -> dict[str, str]:
    return payment.as_(uuid4(), "admin") | {"Idempotency-Key": key or str(uuid4())}


async def give_back(payment: Payment, e2e_id: str, amount: str, *, key: str | None = None) -> httpx.Response:
    body = {"amount": amount, "reason": "sent by mistake"}
    path = f"/admin/received-pix/{e2e_id}/refunds"
    answer: httpx.Response = await payment.client.post(path, json=body, headers=admin(payment, key=key))
    return answer


async def test_ten_requests_racing_for_held_money_never_give_back_more_than_there_is(
    payment: Payment,
) -> None:
    pix = a_pix(txid=None)
    await apply_received(payment.deps, received=pix, source=Source.WEBHOOK)
    answers = await asyncio.gather(*(give_back(payment, pix.e2e_id, "20.00") for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [422] * 8
    assert {a.json()["code"] for a in answers if a.status_code == 422} == {"refund_exceeds_payment"}
    assert len(await published(payment.urls, of=AuditRecorded)) == 2


async def test_one_key_gives_back_once_and_only_admins_may(payment: Payment) -> None:
    pix = a_pix(txid=None)
    await apply_received(payment.deps, received=pix, source=Source.WEBHOOK)
    headers = admin(payment)
    path, body = f"/admin/received-pix/{pix.e2e_id}/refunds", {"amount": "10.00", "reason": "x"}
    first, again = [await payment.client.post(path, json=body, headers=headers) for _ in range(2)]
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await give_back(payment, "E0", "1.00")).status_code == 404
    passenger = payment.as_(uuid4(), "passenger") | {"Idempotency-Key": "k"}
    refused = (
        await payment.client.post(path, json=body, headers=passenger),
        await payment.client.get("/admin/received-pix", headers=passenger),
        await payment.client.get(f"/admin/payments/{uuid4()}/refunds", headers=passenger),
        await payment.client.post(
            "/admin/reconciliation/statements", json={"day": "2026-11-01"}, headers=passenger
        ),
    )
    assert {answer.status_code for answer in refused} == {403}


async def test_an_admin_sees_what_is_held_page_by_page_and_nobodys_name(payment: Payment) -> None:
    _, intent, charge = await payment.open_payment()
    held = [a_pix(txid=None) for _ in range(3)]
    for pix in (a_pix(txid=charge.txid), a_pix(txid=charge.txid), *held):
        await apply_received(payment.deps, received=pix, source=Source.WEBHOOK)
    seen: list[Any] = []
    cursor = None
    while True:
        query = {"held": "true", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await payment.client.get("/admin/received-pix", params=query, headers=admin(payment))).json()
        seen += page["data"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert sorted(row["mismatch"] for row in seen) == ["second"] + ["unmatched"] * 3
    [second] = [row for row in seen if row["mismatch"] == "second"]
    assert (second["payment_id"], second["held"]) == (str(intent.id), "50.00")
    everything = (await payment.client.get("/admin/received-pix", headers=admin(payment))).json()
    assert len(everything["data"]) == 5
    assert not {"payer", "cpf", "name", "chave"} & everything["data"][0].keys()


async def test_an_admin_sees_what_became_of_a_payments_refunds(payment: Payment) -> None:
    _, intent, charge = await payment.open_payment()
    await apply_received(payment.deps, received=a_pix(txid=charge.txid), source=Source.WEBHOOK)
    path = f"/admin/payments/{intent.id}/refunds"
    made = await payment.client.post(
        path, json={"amount": "20.00", "reason": "goodwill"}, headers=admin(payment)
    )
    await submit_refunds(payment.deps)
    [seen] = (await payment.client.get(path, headers=admin(payment))).json()["data"]
    assert (seen["id"], seen["status"], seen["origin"], seen["target"], seen["reason"]) == (
        made.json()["id"],
        "PROCESSING",
        "admin",
        "fare",
        "goodwill",
    )
    missing = await payment.client.get(f"/admin/payments/{uuid4()}/refunds", headers=admin(payment))
    assert missing.status_code == 404


async def test_a_refused_refund_of_a_credit_is_told_and_counts_as_open_until_then(payment: Payment) -> None:
    async def open_s() -> float:
        await watch_refunds(payment.deps)
        return REGISTRY.get_sample_value("payment_oldest_open_refund_seconds") or 0.0

    _, intent, charge = await payment.open_payment()
    second = a_pix(txid=charge.txid)
    for pix in (a_pix(txid=charge.txid), second):
        await apply_received(payment.deps, received=pix, source=Source.WEBHOOK)
    assert await open_s() > 0.0, "the second payment goes back by rule"
    payment.bank.refusing_refunds = ProviderRefused("valor_invalido")
    await submit_refunds(payment.deps)
    [(failed, _, _)] = await published(payment.urls, of=PaymentRefundFailed)
    assert isinstance(failed, PaymentRefundFailed)
    assert (failed.payment_id, failed.amount, failed.reason) == (intent.id, second.amount, "valor_invalido")
    assert await open_s() == 0.0


async def test_a_devolution_told_by_many_at_once_is_adopted_once(payment: Payment) -> None:
    """Of a Pix with a surplus it takes both, held money first; the bank's word comes from everywhere at once."""
    bank = BankWithBooks()
    _, _, charge = await payment.open_payment()
    pix = a_pix(txid=charge.txid, amount="60.00")
    bank.pay(pix)
    bank.give_back(pix.e2e_id, efi_id="app1", amount=Decimal("25.00"))
    bank.decide(done=True)
    await apply_received(payment.deps, received=pix, source=Source.WEBHOOK)
    received = await bank.find_received(pix.e2e_id)
    assert received is not None
    told = await asyncio.gather(
        *(settle_devolutions(payment.deps, received=received) for _ in range(8)), return_exceptions=True
    )
    assert told.count(True) == 8
    credited = [fact for fact, _, _ in await published(payment.urls, of=PaymentCreditRefunded)]
    refunded = [fact for fact, _, _ in await published(payment.urls, of=PaymentRefunded)]
    assert [f.amount for f in credited if isinstance(f, PaymentCreditRefunded)] == [Decimal("10.00")]
    assert [f.amount for f in refunded if isinstance(f, PaymentRefunded)] == [Decimal("15.00")]


async def test_a_new_code_can_be_asked_for_after_the_old_one_expired(payment: Payment) -> None:
    ride, intent, _ = await payment.open_payment()
    async with payment.deps.transaction() as tx:
        await expire_charge(tx, intent_id=intent.id, now=payment.deps.now())
    headers = payment.as_(ride.passenger_id, "passenger") | {"Idempotency-Key": str(uuid4())}
    answer = await payment.client.post("/payments/intent", json={"ride_id": str(ride.id)}, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["id"] != str(intent.id)
    assert answer.json()["status"] == "PENDING"


async def publish(payment: Payment, day: str) -> httpx.Response:
    answer: httpx.Response = await payment.client.post(
        "/admin/reconciliation/statements", json={"day": day}, headers=admin(payment)
    )
    return answer


async def test_an_admin_has_a_statement_published_so_far_or_once(payment: Payment) -> None:
    today = business_day(payment.deps.now())
    for _ in range(2):
        shown = await publish(payment, today.isoformat())
        assert (shown.status_code, shown.json()["complete"]) == (200, False), shown.text
    old = (today - timedelta(days=3)).isoformat()
    assert (await publish(payment, old)).json() == {
        "day": old,
        "lines": 0,
        "came_in": "0.00",
        "went_out": "0.00",
        "complete": True,
    }
    again = await publish(payment, old)
    assert (again.status_code, again.json()["code"]) == (409, "statement_already_published")
    assert (await publish(payment, (today + timedelta(days=1)).isoformat())).status_code == 422
    payment.bank.failing = ProviderUnclear("down")
    assert (await publish(payment, today.isoformat())).status_code == 503
    assert len(await published(payment.urls, of=StatementClosed)) == 3
    assert len(await published(payment.urls, of=AuditRecorded)) == 3


async def test_a_day_published_by_hand_hides_no_missed_day_from_the_job(payment: Payment) -> None:
    last = due_day(payment.deps.now())
    for ago in (3, 0):
        await publish(payment, (last - timedelta(days=ago)).isoformat())
    for _ in range(2):
        await publish_statement(payment.deps)
    closed = [fact.day for fact, _, _ in await published(payment.urls, of=StatementClosed)]  # type: ignore[attr-defined]
    assert closed == [(last - timedelta(days=ago)).isoformat() for ago in (3, 0, 2, 1)]


async def test_the_bank_is_never_called_while_a_transaction_is_open(payment: Payment) -> None:
    """Every id is stored and committed before the call that carries it."""
    called: list[str] = []
    deps = payment.deps

    def watch(call: str) -> None:
        assert not open_transactions, f"{call} with a transaction open"
        called.append(call.split()[0])

    open_transactions: set[int] = set()
    real, payment.bank._called = deps.transaction, watch  # type: ignore[method-assign]

    class Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(deps, name)

        def transaction(self) -> Any:
            return _Marked(real(), open_transactions)

    watched: Any = Watched()
    _, intent, charge = await payment.open_payment()
    await submit_charges(watched)
    payment.bank.pay(a_pix(txid=charge.txid, e2e_id="E1"))
    await reconcile_pix_charges(watched)
    await expire_pix_charges(watched)
    await process_webhooks(watched)
    await apply_received(watched, received=payment.bank.received["E1"], source=Source.WEBHOOK)
    path = f"/admin/payments/{intent.id}/refunds"
    await payment.client.post(path, json={"amount": "20.00", "reason": "x"}, headers=admin(payment))
    await submit_refunds(watched)
    assert {"create", "list", "refund"} <= set(called)


class _Marked:
    """A transaction that says while it is open. One bank call at a time: these jobs run in one task."""

    def __init__(self, real: Any, open_: set[int]) -> None:
        self._real, self._open = real, open_

    async def __aenter__(self) -> Any:
        self._open.add(id(self))
        return await self._real.__aenter__()

    async def __aexit__(self, *error: Any) -> Any:
        self._open.discard(id(self))
        return await self._real.__aexit__(*error)
