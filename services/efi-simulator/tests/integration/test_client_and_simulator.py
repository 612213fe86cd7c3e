"""Our client against the simulator, over real HTTP and mutual TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from simulator_fakes import DRIVER_KEY, KEY, TXID, Receiver, Running, receiving, running

from efi import (
    ChargeNotActive,
    ChargeNotFound,
    ChargeStatus,
    EfiClient,
    EfiMismatch,
    EfiRefused,
    EfiUnauthorized,
    EfiUnknown,
    EfiUnreachable,
    ReceivedNotFound,
    RefundNotFound,
    RefundStatus,
    SendNotFound,
    SendStatus,
    WebhookKind,
    brcode,
    looks_like_e2e_id,
    parse_webhook,
)
from efi.certificates import client_context
from efi_simulator.domain.receiving import receive_pix
from testkit import eventually
from testkit.certificates import Certificates

FIFTY = Decimal("50.00")


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
    """A registered webhook."""
    async with receiving(certificates) as one:
        await client.register_webhook(one.url)
        yield one


async def test_a_charge_is_created_paid_and_told(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    charge = await client.create_charge(TXID, amount=FIFTY, expires_s=3600, message="Corrida")
    assert charge.status is ChargeStatus.ACTIVE
    assert brcode.parse(charge.copy_paste).one_time

    paid = await simulator.order(f"charges/{TXID}/pay", payer_cpf="52998224725")

    await eventually(lambda: len(receiver.items()) == 1)
    charge = await client.get_charge(TXID)
    assert charge.status is ChargeStatus.COMPLETED
    assert [one.e2e_id for one in charge.received] == [paid["endToEndId"]]
    received = await client.get_received(paid["endToEndId"])
    assert (received.txid, received.key, received.amount) == (TXID, KEY, FIFTY)
    assert looks_like_e2e_id(received.e2e_id)
    assert await client.balance() == Decimal("1050.00")


async def test_a_webhook_body_reads_as_a_received_pix(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await client.create_charge(TXID, amount=FIFTY, expires_s=3600)
    paid = await simulator.order(f"charges/{TXID}/pay")
    await eventually(lambda: len(receiver.items()) == 1)

    path, body = receiver.got[-1]
    (item,) = parse_webhook(httpx.Response(200, json=body).content)
    assert path == "/webhooks/efi/pix"
    assert item.kind is WebhookKind.RECEIVED
    assert (item.e2e_id, item.txid, item.key, item.amount) == (paid["endToEndId"], TXID, KEY, FIFTY)


async def test_a_repeated_create_adopts_the_charge_and_another_amount_is_refused(client: EfiClient) -> None:
    first = await client.create_charge(TXID, amount=FIFTY, expires_s=3600)
    again = await client.create_charge(TXID, amount=FIFTY, expires_s=3600)
    assert again.created_at == first.created_at
    with pytest.raises(EfiRefused, match="txid_duplicado"):
        await client.create_charge(TXID, amount=Decimal("50.01"), expires_s=3600)


async def test_a_charge_that_does_not_exist_is_not_found(client: EfiClient) -> None:
    with pytest.raises(ChargeNotFound):
        await client.get_charge(TXID)
    with pytest.raises(EfiRefused, match="cobranca_nao_encontrada"):
        await client.remove_charge(TXID)


async def test_a_removed_charge_cannot_be_removed_or_paid_again(
    simulator: Running, client: EfiClient
) -> None:
    await client.create_charge(TXID, amount=FIFTY, expires_s=3600)
    removed = await client.remove_charge(TXID)
    assert (removed.status, removed.revision) == (ChargeStatus.REMOVED_BY_RECEIVER, 1)
    with pytest.raises(ChargeNotActive):
        await client.remove_charge(TXID)
    response = await simulator.control.post(f"/_control/charges/{TXID}/pay", json={"force": True})
    assert response.status_code == 409


async def test_a_paid_charge_cannot_be_removed(simulator: Running, client: EfiClient) -> None:
    await client.create_charge(TXID, amount=FIFTY, expires_s=3600)
    await simulator.order(f"charges/{TXID}/pay")
    with pytest.raises(ChargeNotActive):
        await client.remove_charge(TXID)


async def test_a_charge_of_a_foreign_key_is_refused(simulator: Running) -> None:
    async with simulator.client(efi_pix_key="other@example.com") as stranger:
        with pytest.raises(EfiRefused, match="chave_invalida"):
            await stranger.create_charge(TXID, amount=FIFTY, expires_s=3600)


async def test_received_pix_are_listed_page_by_page(simulator: Running, client: EfiClient) -> None:
    now, one_real = datetime.now(UTC), Decimal("1.00")
    paid = [
        receive_pix(simulator.bank, txid=None, amount=one_real, payer_cpf=None, now=now).e2e_id
        for _ in range(501)
    ]
    start = datetime.now(UTC) - timedelta(minutes=5)
    found = [one.e2e_id async for one in client.list_received(start, start + timedelta(minutes=10))]
    assert found == paid


async def test_a_refund_is_settled_and_told(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    e2e_id = (await simulator.order("pix", amount="10.00"))["endToEndId"]
    refund = await client.refund(e2e_id, "r1", amount=Decimal("4.00"))
    assert refund.status is RefundStatus.PROCESSING

    await eventually(lambda: len(receiver.items()) == 2)
    settled = await client.get_refund(e2e_id, "r1")
    assert settled.status is RefundStatus.DONE
    assert settled.settled_at is not None
    (item,) = parse_webhook(httpx.Response(200, json=receiver.got[-1][1]).content)
    assert (item.kind, item.refunds[0].return_id) == (WebhookKind.REFUND, settled.return_id)
    assert await client.balance() == Decimal("1006.00")


async def test_a_repeated_refund_is_adopted_and_another_amount_needs_a_person(
    simulator: Running, client: EfiClient
) -> None:
    e2e_id = (await simulator.order("pix", amount="10.00"))["endToEndId"]
    first = await client.refund(e2e_id, "r1", amount=Decimal("4.00"))
    again = await client.refund(e2e_id, "r1", amount=Decimal("4.00"))
    assert again.return_id == first.return_id
    with pytest.raises(EfiMismatch):
        await client.refund(e2e_id, "r1", amount=Decimal("5.00"))
    with pytest.raises(EfiRefused, match="valor_invalido"):
        await client.refund(e2e_id, "r2", amount=Decimal("6.01"))


async def test_what_was_never_received_or_refunded_is_not_found(
    simulator: Running, client: EfiClient
) -> None:
    with pytest.raises(ReceivedNotFound):
        await client.get_received("E" + "0" * 31)
    with pytest.raises(RefundNotFound):
        await client.get_refund("E" + "0" * 31, "r1")
    e2e_id = (await simulator.order("pix", amount="10.00"))["endToEndId"]
    with pytest.raises(RefundNotFound):
        await client.get_refund(e2e_id, "r1")
    with pytest.raises(EfiRefused, match="pix_nao_encontrado"):
        await client.refund("E" + "0" * 31, "r1", amount=Decimal("1.00"))


async def send(client: EfiClient, amount: str = "12.34", *, key: str = DRIVER_KEY) -> SendStatus:
    sent = await client.send(
        "envio1", amount=Decimal(amount), key=key, document="52998224725", message="Repasse"
    )
    return sent.status


async def settled(client: EfiClient, status: SendStatus) -> None:
    async def is_so() -> bool:
        return (await client.get_send("envio1")).status is status

    await eventually(is_so)


async def test_a_send_is_done_and_told(simulator: Running, client: EfiClient, receiver: Receiver) -> None:
    assert await send(client) is SendStatus.PROCESSING
    assert await client.balance() == Decimal("987.66")

    await eventually(lambda: len(receiver.items()) == 1)
    done = await client.get_send("envio1")
    assert (done.status, done.key, done.amount) == (SendStatus.DONE, DRIVER_KEY, Decimal("12.34"))
    (item,) = parse_webhook(httpx.Response(200, json=receiver.got[-1][1]).content)
    assert (item.kind, item.id_envio, item.e2e_id) == (WebhookKind.SEND, "envio1", done.e2e_id)
    start = datetime.now(UTC) - timedelta(minutes=5)
    assert [one.id_envio async for one in client.list_sent(start, start + timedelta(minutes=10))] == [
        "envio1"
    ]


async def test_a_send_needs_a_webhook_on_the_paying_key(client: EfiClient) -> None:
    with pytest.raises(EfiRefused, match="webhook"):
        await send(client)


async def test_a_send_needs_a_balance(client: EfiClient, receiver: Receiver) -> None:
    with pytest.raises(EfiRefused) as refused:
        await send(client, "1000.01")
    assert (refused.value.name, refused.value.status) == ("pagamento_negado", 422)


async def test_a_send_to_another_persons_cpf_is_refused(client: EfiClient, receiver: Receiver) -> None:
    with pytest.raises(EfiRefused, match="chave_nao_pertence_ao_documento"):
        await send(client, key="11144477735")


async def test_a_send_to_what_is_no_key_is_refused(client: EfiClient, receiver: Receiver) -> None:
    with pytest.raises(EfiRefused, match="chave_invalida"):
        await send(client, key="nobody")


async def test_a_repeated_send_is_adopted_and_pays_once(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await send(client)
    await send(client)
    assert len((await simulator.state())["sends"]) == 1
    with pytest.raises(EfiMismatch):
        await send(client, "12.35")


async def test_concurrent_repeats_of_one_send_pay_once(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await asyncio.gather(*(send(client) for _ in range(20)))
    state = await simulator.state()
    assert (len(state["sends"]), state["balance"]) == (1, "987.66")


async def test_a_rejected_send_gives_the_money_back(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await simulator.order("sends", mode="reject_later", count=1)
    await send(client)
    await settled(client, SendStatus.REJECTED)
    assert (await client.get_send("envio1")).error_code == "AC03"
    assert await client.balance() == Decimal("1000.00")
    await eventually(lambda: bool(receiver.items()))
    (item,) = parse_webhook(httpx.Response(200, json=receiver.got[-1][1]).content)
    assert (item.status, item.error_code, item.occurred_at) == ("NAO_REALIZADO", "AC03", None)


async def test_a_denied_send_moves_nothing(simulator: Running, client: EfiClient, receiver: Receiver) -> None:
    await simulator.order("sends", mode="reject", count=1)
    with pytest.raises(EfiRefused, match="pagamento_negado"):
        await send(client)
    assert (await simulator.state())["sends"] == []
    await send(client)


async def test_a_returned_send_is_told_with_its_return(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await simulator.order("sends", mode="return_later", count=1)
    await send(client)
    await eventually(lambda: len(receiver.items()) == 2)
    done = await client.get_send("envio1")
    assert [one.amount for one in done.returns] == [Decimal("12.34")]
    assert await client.balance() == Decimal("1000.00")
    (item,) = parse_webhook(httpx.Response(200, json=receiver.got[-1][1]).content)
    assert (item.kind, item.refunds[0].return_id) == (WebhookKind.SEND, done.returns[0].return_id)
    assert (await simulator.state())["returns"] == [{"endToEndId": done.e2e_id, "valor": "12.34"}]


async def test_a_send_lost_before_it_arrived_is_unknown_and_can_be_repeated(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await simulator.order("sends", mode="timeout_before", count=1)
    with pytest.raises(EfiUnknown):
        await send(client)
    with pytest.raises(SendNotFound):
        await client.get_send("envio1")
    assert await send(client) is SendStatus.PROCESSING
    assert await client.balance() == Decimal("987.66")


async def test_a_send_whose_answer_is_lost_is_unknown_and_paid_once(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await simulator.order("sends", mode="timeout_after", count=1)
    with pytest.raises(EfiUnknown):
        await send(client)
    await send(client)
    await settled(client, SendStatus.DONE)
    assert await client.balance() == Decimal("987.66")


async def test_a_send_that_takes_longer_than_we_wait_is_unknown(
    simulator: Running, receiver: Receiver
) -> None:
    async with simulator.client(efi_send_timeout_s=0.1) as impatient:
        await impatient.balance()
        await simulator.order("api", mode="slow", count=1)
        with pytest.raises(EfiUnknown, match="ReadTimeout"):
            await send(impatient)


async def test_a_send_that_meets_an_internal_error_is_unknown(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await simulator.order("sends", mode="error_500", count=1)
    with pytest.raises(EfiUnknown) as unknown:
        await send(client)
    assert unknown.value.status == 500
    assert (await simulator.state())["sends"] == []


@pytest.mark.parametrize(
    ("amount", "ends", "balance", "notices"),
    [
        ("10.00", SendStatus.DONE, "990.00", 1),
        ("4.00", SendStatus.DONE, "1000.00", 3),
        ("5.00", SendStatus.DONE, "1000.00", 2),
        ("20.00", SendStatus.REJECTED, "1000.00", 1),
    ],
)
async def test_a_send_in_homologation_ends_by_its_amount(
    simulator: Running,
    client: EfiClient,
    receiver: Receiver,
    amount: str,
    ends: SendStatus,
    balance: str,
    notices: int,
) -> None:
    await simulator.order("rules", homologation=True)
    await send(client, amount, key="efipay@sejaefi.com.br")
    await eventually(lambda: len(receiver.items()) == notices)
    assert (await client.get_send("envio1")).status is ends
    assert await client.balance() == Decimal(balance)


async def test_more_than_twenty_reais_are_denied_in_homologation(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await simulator.order("rules", homologation=True)
    with pytest.raises(EfiRefused, match="pagamento_negado"):
        await send(client, "20.01", key="efipay@sejaefi.com.br")


async def test_a_small_charge_pays_itself_in_homologation_and_a_larger_one_does_not(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await simulator.order("rules", homologation=True)
    await client.create_charge(TXID, amount=Decimal("10.01"), expires_s=3600)
    small = TXID[::-1]
    await client.create_charge(small, amount=Decimal("10.00"), expires_s=3600)
    await eventually(lambda: [item["txid"] for item in receiver.items()] == [small])
    assert (await client.get_charge(small)).status is ChargeStatus.COMPLETED
    assert (await client.get_charge(TXID)).status is ChargeStatus.ACTIVE


async def test_an_api_that_is_down_for_a_moment_is_bridged(simulator: Running, client: EfiClient) -> None:
    await client.balance()
    for mode in ("down", "error_500"):
        await simulator.order("api", mode=mode, count=2)
        assert await client.balance() == Decimal("1000.00")


async def test_an_api_that_is_down_at_login_never_saw_the_send(
    simulator: Running, receiver: Receiver
) -> None:
    await simulator.order("api", mode="down", count=3)
    async with simulator.client() as fresh:
        with pytest.raises(EfiUnreachable):
            await send(fresh)


async def test_nobody_listening_is_unreachable(simulator: Running, client: EfiClient) -> None:
    async with simulator.client(efi_base_url="https://127.0.0.1:9") as lost:
        with pytest.raises(EfiUnreachable):
            await lost.balance()


async def test_a_revoked_token_is_renewed_without_the_caller_noticing(
    simulator: Running, client: EfiClient
) -> None:
    await client.balance()
    assert (await simulator.control.post("/_control/tokens/revoke")).status_code == 204
    assert await client.balance() == Decimal("1000.00")


async def test_a_wrong_secret_is_a_matter_of_configuration(simulator: Running, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"client_id": "Client_Id_1", "client_secret": "guess"}')
    async with simulator.client(efi_credentials_file=wrong) as stranger:
        with pytest.raises(EfiUnauthorized, match="invalid_client"):
            await stranger.balance()


async def test_nobody_gets_in_without_our_certificate(simulator: Running, certificates: Certificates) -> None:
    context = ssl.create_default_context(cafile=certificates.ca)
    async with httpx.AsyncClient(verify=context, trust_env=False) as naked:
        with pytest.raises(httpx.TransportError):
            await naked.post(f"{simulator.api_url}/oauth/token", json={})


async def test_nobody_gets_in_with_a_strangers_certificate(
    simulator: Running, certificates: Certificates, tmp_path: Path
) -> None:
    pem = tmp_path / "stranger.pem"
    pem.write_bytes(certificates.stranger.cert.read_bytes() + certificates.stranger.key.read_bytes())
    context = client_context(certificate_file=pem, ca_file=certificates.ca)
    async with httpx.AsyncClient(verify=context, trust_env=False) as stranger:
        with pytest.raises(httpx.TransportError):
            await stranger.post(f"{simulator.api_url}/oauth/token", json={})


async def test_the_client_refuses_a_server_that_its_ca_does_not_verify(
    simulator: Running, certificates: Certificates
) -> None:
    async with simulator.client(efi_ca_file=certificates.other_ca) as careful:
        with pytest.raises(EfiUnreachable):
            await careful.balance()


async def test_a_renewed_certificate_is_taken_up_without_a_restart(
    simulator: Running, certificates: Certificates, tmp_path: Path
) -> None:
    async with simulator.client() as client:
        await client.balance()
        renewed = certificates.client_named("renewed")
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes(renewed.cert.read_bytes() + renewed.key.read_bytes())
        assert await client.balance() == Decimal("1000.00")
