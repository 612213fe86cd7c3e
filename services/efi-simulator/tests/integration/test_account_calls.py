"""Our client's calls about the account itself: statements, webhooks, replays, lists, blocked money, fees."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from simulator_fakes import DRIVER_KEY, KEY, TXID, Receiver, Running, receiving, running

from efi import (
    ChargeStatus,
    EfiClient,
    EfiRefused,
    EfiUnauthorized,
    RefundStatus,
    ReplayKind,
    SendNotFound,
    SendStatus,
    StatementKind,
    StatementNotFound,
    StatementRow,
)
from efi_simulator.domain.receiving import receive_pix
from kernel.business_day import business_day
from testkit import eventually
from testkit.certificates import Certificates

TODAY = business_day(datetime.now(UTC))


@pytest.fixture
async def simulator(tmp_path: Path, certificates: Certificates) -> AsyncIterator[Running]:
    async with running(tmp_path, certificates) as one:
        yield one


@pytest.fixture
async def client(simulator: Running) -> AsyncIterator[EfiClient]:
    async with simulator.client() as one:
        yield one


@pytest.fixture
async def receiver(certificates: Certificates, client: EfiClient) -> AsyncIterator[Receiver]:
    async with receiving(certificates) as one:
        await client.register_webhook(one.url)
        one.got.clear()
        yield one


async def statement(client: EfiClient) -> tuple[StatementRow, ...]:
    report_id = await client.request_statement(business_day(datetime.now(UTC)))
    found: list[tuple[StatementRow, ...]] = []

    async def is_ready() -> bool:
        rows = await client.statement(report_id)
        found.extend([] if rows is None else [rows])
        return rows is not None

    await eventually(is_ready)
    return found[0]


async def test_a_statement_lists_every_movement_of_the_day_with_its_sign(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await simulator.order("statements", open_days=True)
    await simulator.order("fees", received="0.30", sent="0.20")
    await client.create_charge(TXID, amount=Decimal("50.00"), expires_s=3600)
    e2e_id = (await simulator.order(f"charges/{TXID}/pay"))["endToEndId"]
    refund = await client.refund(e2e_id, "r1", amount=Decimal("4.00"))
    await simulator.order("sends", mode="return_later")
    sent = await client.send("envio1", amount=Decimal("12.34"), key=DRIVER_KEY)
    await eventually(lambda: len(receiver.items()) == 4)

    rows = await statement(client)

    shown = sorted((row.kind.value, row.amount) for row in rows)
    assert shown == [
        ("DEVOLUCAO_ENVIADA", Decimal("-4.00")),
        ("DEVOLUCAO_RECEBIDA", Decimal("12.34")),
        ("PIX_ENVIADO", Decimal("-12.34")),
        ("PIX_RECEBIDO", Decimal("50.00")),
        ("TARIFA", Decimal("-0.30")),
        ("TARIFA", Decimal("-0.20")),
    ]
    by_kind = {row.kind: row for row in rows}
    assert (by_kind[StatementKind.PIX_RECEIVED].e2e_id, by_kind[StatementKind.PIX_RECEIVED].txid) == (
        e2e_id,
        TXID,
    )
    assert by_kind[StatementKind.REFUND_SENT].return_id == refund.return_id
    assert (by_kind[StatementKind.PIX_SENT].id_envio, by_kind[StatementKind.PIX_SENT].e2e_id) == (
        "envio1",
        sent.e2e_id,
    )
    returned = by_kind[StatementKind.RETURN_RECEIVED]
    assert (returned.id_envio, bool(returned.return_id)) == ("envio1", True)
    assert sum(row.amount for row in rows) + Decimal("1000.00") == await client.balance()
    assert (await simulator.state())["fees"] == "0.50"


async def test_a_rejected_send_and_another_day_are_not_on_the_statement(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await simulator.order("statements", open_days=True)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    receive_pix(simulator.bank, txid=None, amount=Decimal("7.00"), payer_cpf=None, now=yesterday)
    await simulator.order("sends", mode="reject_later")
    await client.send("envio1", amount=Decimal("12.34"), key=DRIVER_KEY)
    await eventually(lambda: any(item.get("status") == "NAO_REALIZADO" for item in receiver.items()))
    assert await statement(client) == ()


async def test_a_statement_is_not_ready_at_once(simulator: Running, client: EfiClient) -> None:
    await simulator.order("statements", ready_after_ms=600_000)
    report_id = await client.request_statement(TODAY - timedelta(days=1))
    assert await client.statement(report_id) is None


async def test_a_day_that_is_not_over_has_no_statement(client: EfiClient) -> None:
    with pytest.raises(EfiRefused, match="RelatorioInvalido"):
        await client.request_statement(TODAY + timedelta(days=1))


async def test_a_statement_that_nobody_ordered_is_not_found(client: EfiClient) -> None:
    with pytest.raises(StatementNotFound):
        await client.statement("nothing")


async def test_blocked_money_is_shown_and_cannot_be_sent(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await simulator.order("blocks", judicial="900.00", med="50.00")
    balance = await client.balances()
    assert (balance.total, balance.blocked, balance.available) == (
        Decimal("1000.00"),
        Decimal("950.00"),
        Decimal("50.00"),
    )
    assert (balance.blocked_by_court, balance.blocked_by_med) == (Decimal("900.00"), Decimal("50.00"))
    with pytest.raises(EfiRefused, match="pagamento_negado"):
        await client.send("envio1", amount=Decimal("50.01"), key=DRIVER_KEY)
    await client.send("envio2", amount=Decimal("50.00"), key=DRIVER_KEY)


async def test_fees_are_told_of_what_is_received_and_sent(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await simulator.order("fees", received="0.01", sent="0.02")
    e2e_id = (await simulator.order("pix", amount="10.00"))["endToEndId"]
    await client.send("envio1", amount=Decimal("1.00"), key=DRIVER_KEY)
    await eventually(lambda: len(receiver.items()) == 2)
    assert (await client.get_received(e2e_id)).fee == Decimal("0.01")
    assert (await client.get_send("envio1")).fee == Decimal("0.02")
    assert sorted(item["gnExtras"]["tarifa"] for item in receiver.items()) == ["0.01", "0.02"]
    assert await client.balance() == Decimal("1008.97")


async def test_webhooks_are_listed_read_and_removed(client: EfiClient, receiver: Receiver) -> None:
    assert [(one.key, one.url) for one in await client.webhooks()] == [(KEY, receiver.url)]
    found = await client.webhook(KEY)
    assert found is not None
    assert found.url == receiver.url
    assert await client.webhook("other@example.com") is None
    assert await client.delete_webhook(KEY) is True
    assert await client.delete_webhook(KEY) is False
    assert await client.webhooks() == ()


async def test_a_webhook_without_mutual_tls_is_taken_when_nobody_is_to_check(
    client: EfiClient, certificates: Certificates
) -> None:
    async with receiving(certificates, demand_certificate=False) as careless:
        await client.register_webhook(careless.url, skip_mtls=True)
        assert careless.got == []
    found = await client.get_webhook()
    assert found is not None
    assert found.url == careless.url


async def test_a_webhook_is_for_keys_of_ours_only(client: EfiClient, receiver: Receiver) -> None:
    with pytest.raises(EfiRefused, match="chave_invalida"):
        await client.register_webhook(receiver.url, key="other@example.com")


async def test_what_was_told_is_told_again_once_on_request(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    e2e_id = (await simulator.order("pix", amount="10.00", txid="static1"))["endToEndId"]
    await client.refund(e2e_id, "r1", amount=Decimal("1.00"))
    await simulator.order("sends", mode="return_later")
    sent = await client.send("envio1", amount=Decimal("2.00"), key=DRIVER_KEY)
    assert sent.e2e_id is not None
    await eventually(lambda: len(receiver.items()) == 4)

    for kind, wanted in (
        (ReplayKind.PIX_RECEIVED, e2e_id),
        (ReplayKind.REFUND_SENT, e2e_id),
        (ReplayKind.PIX_SENT, sent.e2e_id),
        (ReplayKind.RETURN_RECEIVED, sent.e2e_id),
    ):
        receiver.got.clear()
        await client.replay_webhooks(kind, [wanted])
        await eventually(lambda: len(receiver.items()) == 1)
        (item,) = receiver.items()
        assert item["endToEndId"] == wanted
        assert ("devolucoes" in item) == (kind in (ReplayKind.REFUND_SENT, ReplayKind.RETURN_RECEIVED))


async def test_a_replay_that_fails_is_not_repeated(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    e2e_id = (await simulator.order("pix", amount="10.00"))["endToEndId"]
    await eventually(lambda: len(receiver.items()) == 1)
    receiver.statuses = [500]
    await client.replay_webhooks(ReplayKind.PIX_RECEIVED, [e2e_id])
    await eventually(lambda: not simulator.bank.undelivered)
    assert len(receiver.items()) == 2


async def test_a_replay_of_what_never_was_is_refused_as_a_whole(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    e2e_id = (await simulator.order("pix", amount="10.00"))["endToEndId"]
    await eventually(lambda: len(receiver.items()) == 1)
    with pytest.raises(EfiRefused, match="ReenvioInvalido"):
        await client.replay_webhooks(ReplayKind.PIX_RECEIVED, [e2e_id, "E" + "0" * 31])
    assert not simulator.bank.undelivered


async def test_charges_are_listed_page_by_page_and_by_status(client: EfiClient) -> None:
    for number in range(3):
        await client.create_charge(f"{number:032d}", amount=Decimal("1.00"), expires_s=60)
    await client.remove_charge(f"{1:032d}")
    start = datetime.now(UTC) - timedelta(minutes=5)
    end = start + timedelta(minutes=10)
    assert [one.txid async for one in client.list_charges(start, end)] == [f"{n:032d}" for n in range(3)]
    removed = client.list_charges(start, end, status=ChargeStatus.REMOVED_BY_RECEIVER)
    assert [one.txid async for one in removed] == [f"{1:032d}"]


async def test_received_pix_are_filtered(simulator: Running, client: EfiClient) -> None:
    loose = (await simulator.order("pix", amount="10.00"))["endToEndId"]
    named = (await simulator.order("pix", amount="10.00", txid="static1"))["endToEndId"]
    await client.refund(named, "r1", amount=Decimal("1.00"))
    start = datetime.now(UTC) - timedelta(minutes=5)
    end = start + timedelta(minutes=10)

    async def found(**filters: object) -> list[str]:
        return [one.e2e_id async for one in client.list_received(start, end, **filters)]  # type: ignore[arg-type]

    assert await found() == [loose, named]
    assert (
        await found(txid="static1") == await found(has_txid=True) == await found(has_refunds=True) == [named]
    )
    assert await found(has_txid=False) == await found(has_refunds=False) == [loose]


async def test_a_send_is_found_by_both_of_its_ids(client: EfiClient, receiver: Receiver) -> None:
    sent = await client.send("envio1", amount=Decimal("1.00"), key=DRIVER_KEY)
    assert sent.e2e_id is not None
    assert (await client.get_send_by_e2e_id(sent.e2e_id)).id_envio == "envio1"
    with pytest.raises(SendNotFound):
        await client.get_send_by_e2e_id("E" + "0" * 31)


async def test_a_missing_scope_is_told_by_name(simulator: Running, client: EfiClient) -> None:
    await simulator.order("scopes", missing=["pix.send"])
    with pytest.raises(EfiUnauthorized) as refused:
        await client.send("envio1", amount=Decimal("1.00"), key=DRIVER_KEY)
    assert (refused.value.name, refused.value.status) == ("insufficient_scope", 403)
    assert await client.balance() == Decimal("1000.00")


async def test_a_blocked_document_is_refused(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await simulator.order("blocks", documents=["52998224725"])
    with pytest.raises(EfiRefused, match="documento_bloqueado"):
        await client.send("envio1", amount=Decimal("1.00"), key=DRIVER_KEY, document="52998224725")


@pytest.mark.parametrize("status", [400, 409])
async def test_a_charge_that_is_not_active_is_told_by_either_status(
    simulator: Running, client: EfiClient, status: int
) -> None:
    await simulator.order("rules", inactive_status=status)
    await client.create_charge(TXID, amount=Decimal("1.00"), expires_s=60)
    await client.remove_charge(TXID)
    with pytest.raises(EfiRefused) as refused:
        await client.remove_charge(TXID)
    assert (refused.value.name, refused.value.status) == ("status_cobranca_invalido", status)


async def refunded(simulator: Running, client: EfiClient, mode: str) -> str:
    e2e_id = str((await simulator.order("pix", amount="10.00"))["endToEndId"])
    await simulator.order("refunds", mode=mode)
    await client.refund(e2e_id, "r1", amount=Decimal("4.00"))
    return e2e_id


async def test_a_refund_is_rejected_later(simulator: Running, client: EfiClient, receiver: Receiver) -> None:
    e2e_id = await refunded(simulator, client, "reject_later")
    await eventually(lambda: len(receiver.items()) == 2)
    refund = await client.get_refund(e2e_id, "r1")
    assert (refund.status, bool(refund.reason)) == (RefundStatus.REJECTED, True)
    assert await client.balance() == Decimal("1010.00")
    assert receiver.items()[-1]["devolucoes"][0]["status"] == "NAO_REALIZADO"


async def test_a_refund_is_refused_at_once(simulator: Running, client: EfiClient, receiver: Receiver) -> None:
    with pytest.raises(EfiRefused, match="documento_bloqueado"):
        await refunded(simulator, client, "reject")
    assert (await simulator.state())["refunds"] == []


async def test_a_refund_is_contradicted_after_it_was_made_and_no_money_moves(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    e2e_id = await refunded(simulator, client, "contradict")
    await eventually(lambda: len(receiver.items()) == 3)
    told = [one["status"] for item in receiver.items() for one in item.get("devolucoes", [])]
    assert told == ["DEVOLVIDO", "NAO_REALIZADO"]
    assert (await client.get_refund(e2e_id, "r1")).status is RefundStatus.REJECTED
    assert await client.balance() == Decimal("1006.00")


async def test_a_refund_made_outside_appears_with_the_pix(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    e2e_id = (await simulator.order("pix", amount="10.00"))["endToEndId"]
    made = await simulator.order(f"received/{e2e_id}/refund", valor="3.00")
    await eventually(lambda: len(receiver.items()) == 2)
    (refund,) = (await client.get_received(e2e_id)).refunds
    assert (refund.return_id, refund.amount, refund.status) == (
        made["rtrId"],
        Decimal("3.00"),
        RefundStatus.DONE,
    )
    too_much = await simulator.control.post(f"/_control/received/{e2e_id}/refund", json={"valor": "7.01"})
    assert too_much.status_code == 409
    assert (await simulator.control.post("/_control/received/E0/refund", json={})).status_code == 404


async def test_a_send_comes_back_in_parts(simulator: Running, client: EfiClient, receiver: Receiver) -> None:
    await client.send("envio1", amount=Decimal("10.00"), key=DRIVER_KEY)
    await eventually(lambda: len(receiver.items()) == 1)
    await simulator.order("sends/envio1/return", valor="4.00")
    rest = await simulator.order("sends/envio1/return")
    assert rest["valor"] == "6.00"
    await eventually(lambda: len(receiver.items()) == 3)
    assert [one.amount for one in (await client.get_send("envio1")).returns] == [
        Decimal("4.00"),
        Decimal("6.00"),
    ]
    assert await client.balance() == Decimal("1000.00")
    nothing_left = await simulator.control.post("/_control/sends/envio1/return", json={})
    assert nothing_left.status_code == 409


async def test_a_done_send_is_contradicted_and_no_money_moves(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await client.send("envio1", amount=Decimal("10.00"), key=DRIVER_KEY)
    await eventually(lambda: len(receiver.items()) == 1)
    await simulator.order("sends/envio1/status", status="NAO_REALIZADO")
    await eventually(lambda: len(receiver.items()) == 2)
    assert (await client.get_send("envio1")).status is SendStatus.REJECTED
    assert [item["status"] for item in receiver.items()] == ["REALIZADO", "NAO_REALIZADO"]
    assert await client.balance() == Decimal("990.00")
    await simulator.order("statements", open_days=True)
    assert [row.amount for row in await statement(client)] == [Decimal("-10.00")]
    unknown = await simulator.control.post("/_control/sends/other/status", json={"status": "REALIZADO"})
    assert unknown.status_code == 404


async def test_a_lie_reaches_the_webhook_as_it_was_written(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    lie = {"pix": [{"endToEndId": "E1", "txid": TXID, "valor": "9999.00", "chave": "other"}, 5]}
    assert await simulator.order("webhooks/forge", **lie) == {"status": 200}
    assert receiver.got == [("/webhooks/efi/pix", lie)]
    assert (await simulator.state())["received"] == []


async def test_nobody_to_lie_to_is_a_conflict(simulator: Running) -> None:
    assert (await simulator.control.post("/_control/webhooks/forge", json={})).status_code == 409
