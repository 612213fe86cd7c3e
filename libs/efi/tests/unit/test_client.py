"""What the client sends, how it reads answers, what it adopts."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import httpx
import pytest
from efi_fakes import (
    E2E,
    KEY,
    NOW,
    TXID,
    ScriptedEfi,
    client_of,
    cob,
    devolucao,
    enviado,
    json_answer,
    refusal,
)

from efi import (
    ChargeNotActive,
    ChargeNotFound,
    ChargeStatus,
    EfiMismatch,
    EfiRefused,
    EfiUnknown,
    ReceivedNotFound,
    RefundNotFound,
    RefundStatus,
    SendNotFound,
    SendStatus,
)

FIFTY = Decimal("50.00")


async def test_a_charge_is_created_without_payer_data(tmp_path: Path) -> None:
    efi = ScriptedEfi([json_answer(cob(), 201)])

    async with client_of(efi, tmp_path) as client:
        charge = await client.create_charge(TXID, amount=FIFTY, expires_s=3600, message="Corrida")

    assert efi.requests[0].method == "PUT"
    assert efi.requests[0].url.path == f"/v2/cob/{TXID}"
    assert efi.bodies() == [
        {
            "calendario": {"expiracao": 3600},
            "valor": {"original": "50.00"},
            "chave": KEY,
            "solicitacaoPagador": "Corrida",
        }
    ]
    assert (charge.txid, charge.status, charge.amount) == (TXID, ChargeStatus.ACTIVE, FIFTY)
    assert charge.expires_at == charge.created_at + timedelta(hours=1)
    assert charge.copy_paste == "00020101021226"


async def test_a_charge_whose_expiry_is_text_reads_the_same(tmp_path: Path) -> None:
    body = cob(calendario={"criacao": "2026-11-24T12:00:00Z", "expiracao": "3600"})
    async with client_of(ScriptedEfi([json_answer(body)]), tmp_path) as client:
        assert (await client.get_charge(TXID)).expires_s == 3600


async def test_a_paid_charge_lists_what_paid_it(tmp_path: Path) -> None:
    pix = {
        "endToEndId": E2E,
        "txid": TXID,
        "valor": "50.00",
        "horario": "2026-11-24T12:05:00Z",
        "gnExtras": {"tarifa": "0.60"},
        "devolucoes": [devolucao(status="NAO_REALIZADO", motivo="Saldo insuficiente")],
    }
    async with client_of(ScriptedEfi([json_answer(cob(status="CONCLUIDA", pix=[pix]))]), tmp_path) as client:
        charge = await client.get_charge(TXID)

    (received,) = charge.received
    assert charge.status is ChargeStatus.COMPLETED
    assert (received.e2e_id, received.amount, received.fee) == (E2E, FIFTY, Decimal("0.60"))
    assert received.refunds[0].status is RefundStatus.REJECTED
    assert received.refunds[0].reason == "Saldo insuficiente"


async def test_a_duplicate_txid_of_an_equal_charge_is_adopted(tmp_path: Path) -> None:
    efi = ScriptedEfi([refusal("txid_duplicado", 409), json_answer(cob())])
    async with client_of(efi, tmp_path) as client:
        charge = await client.create_charge(TXID, amount=FIFTY, expires_s=3600)
    assert charge.txid == TXID
    assert [request.method for request in efi.requests] == ["PUT", "GET"]


@pytest.mark.parametrize("other", [{"valor": {"original": "50.01"}}, {"chave": "other@example.com"}])
async def test_a_duplicate_txid_of_another_charge_is_refused(
    tmp_path: Path, other: dict[str, object]
) -> None:
    efi = ScriptedEfi([refusal("txid_duplicado", 409), json_answer(cob(**other))])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(EfiRefused) as refused:
            await client.create_charge(TXID, amount=FIFTY, expires_s=3600)
    assert (refused.value.name, refused.value.status) == ("txid_duplicado", 409)


async def test_a_lost_answer_is_repeated_with_the_same_txid_and_adopted(tmp_path: Path) -> None:
    lost = httpx.ReadTimeout("")
    efi = ScriptedEfi([lost, refusal("txid_duplicado", 409), json_answer(cob())])
    async with client_of(efi, tmp_path) as client:
        charge = await client.create_charge(TXID, amount=FIFTY, expires_s=3600)
    assert charge.amount == FIFTY
    assert {request.url.path for request in efi.requests} == {f"/v2/cob/{TXID}"}


async def test_a_charge_that_is_refused_is_not_repeated(tmp_path: Path) -> None:
    efi = ScriptedEfi([refusal("valor_invalido")])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(EfiRefused, match="valor_invalido"):
            await client.create_charge(TXID, amount=FIFTY, expires_s=60)
    assert len(efi.requests) == 1


async def test_a_duplicate_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    efi = ScriptedEfi([refusal("txid_duplicado", 409), refusal("cobranca_nao_encontrada")])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(EfiUnknown):
            await client.create_charge(TXID, amount=FIFTY, expires_s=3600)


@pytest.mark.parametrize("status", [400, 404])
async def test_an_unknown_charge_is_not_found_under_either_status(tmp_path: Path, status: int) -> None:
    efi = ScriptedEfi([refusal("cobranca_nao_encontrada", status)])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(ChargeNotFound):
            await client.get_charge(TXID)


@pytest.mark.parametrize("status", [400, 409])
async def test_removing_a_paid_charge_says_that_it_is_not_active(tmp_path: Path, status: int) -> None:
    efi = ScriptedEfi([refusal("status_cobranca_invalido", status)])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(ChargeNotActive):
            await client.remove_charge(TXID)
    assert efi.bodies() == [{"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"}]


async def test_a_removed_charge_is_returned(tmp_path: Path) -> None:
    body = cob(status="REMOVIDA_PELO_USUARIO_RECEBEDOR", revisao=1)
    async with client_of(ScriptedEfi([json_answer(body)]), tmp_path) as client:
        charge = await client.remove_charge(TXID)
    assert (charge.status, charge.revision) == (ChargeStatus.REMOVED_BY_RECEIVER, 1)


async def test_a_removal_whose_answer_is_lost_is_not_repeated(tmp_path: Path) -> None:
    efi = ScriptedEfi([httpx.ReadTimeout("")])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(EfiUnknown):
            await client.remove_charge(TXID)
    assert len(efi.requests) == 1


async def test_removing_an_unknown_charge_is_refused(tmp_path: Path) -> None:
    async with client_of(ScriptedEfi([refusal("cobranca_nao_encontrada")]), tmp_path) as client:
        with pytest.raises(EfiRefused, match="cobranca_nao_encontrada"):
            await client.remove_charge(TXID)


async def test_a_received_pix_is_read(tmp_path: Path) -> None:
    body = {"endToEndId": E2E, "valor": "1.00", "chave": KEY, "horario": "2026-11-24T12:05:00Z"}
    async with client_of(ScriptedEfi([json_answer(body)]), tmp_path) as client:
        received = await client.get_received(E2E)
    assert (received.txid, received.key, received.fee) == (None, KEY, Decimal("0.00"))


async def test_a_pix_that_was_not_received_is_not_found(tmp_path: Path) -> None:
    async with client_of(ScriptedEfi([refusal("pix_nao_encontrado")]), tmp_path) as client:
        with pytest.raises(ReceivedNotFound):
            await client.get_received(E2E)


async def test_a_query_that_is_refused_for_another_reason_stays_refused(tmp_path: Path) -> None:
    async with client_of(ScriptedEfi([refusal("valor_invalido")]), tmp_path) as client:
        with pytest.raises(EfiRefused, match="valor_invalido"):
            await client.get_received(E2E)


def _page(number: int, of: int, entry: dict[str, object]) -> httpx.Response:
    paging = {
        "paginaAtual": number,
        "itensPorPagina": 1,
        "quantidadeDePaginas": of,
        "quantidadeTotalDeItens": of,
    }
    return json_answer({"parametros": {"paginacao": paging}, "pix": [entry]})


async def test_received_pix_are_listed_over_all_pages(tmp_path: Path) -> None:
    entries = [
        {"endToEndId": f"E{number}", "valor": "1.00", "horario": "2026-11-24T12:05:00Z"}
        for number in range(3)
    ]
    efi = ScriptedEfi([_page(number, 3, entry) for number, entry in enumerate(entries)])

    async with client_of(efi, tmp_path) as client:
        found = [one.e2e_id async for one in client.list_received(NOW - timedelta(hours=1), NOW)]

    assert found == ["E0", "E1", "E2"]
    assert [request.url.params["paginacao.paginaAtual"] for request in efi.requests] == ["0", "1", "2"]
    assert efi.requests[0].url.params["inicio"] == "2026-11-24T11:00:00.000Z"


async def test_sends_are_listed_over_all_pages(tmp_path: Path) -> None:
    efi = ScriptedEfi([_page(number, 2, enviado(idEnvio=f"e{number}")) for number in range(2)])
    async with client_of(efi, tmp_path) as client:
        assert [one.id_envio async for one in client.list_sent(NOW, NOW)] == ["e0", "e1"]


async def test_a_refund_is_made_with_our_id(tmp_path: Path) -> None:
    efi = ScriptedEfi([json_answer(devolucao(), 201)])
    async with client_of(efi, tmp_path) as client:
        refund = await client.refund(E2E, "r1", amount=Decimal("7.89"))
    assert efi.requests[0].url.path == f"/v2/pix/{E2E}/devolucao/r1"
    assert efi.bodies() == [{"valor": "7.89"}]
    assert (refund.status, refund.amount) == (RefundStatus.PROCESSING, Decimal("7.89"))


async def test_a_duplicate_refund_of_the_same_amount_is_adopted(tmp_path: Path) -> None:
    done = devolucao(status="DEVOLVIDO")
    efi = ScriptedEfi([refusal("devolucao_id_duplicado", 409), json_answer(done)])
    async with client_of(efi, tmp_path) as client:
        refund = await client.refund(E2E, "r1", amount=Decimal("7.89"))
    assert refund.status is RefundStatus.DONE


async def test_a_duplicate_refund_of_another_amount_needs_a_person(tmp_path: Path) -> None:
    efi = ScriptedEfi([refusal("devolucao_id_duplicado", 409), json_answer(devolucao())])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(EfiMismatch):
            await client.refund(E2E, "r1", amount=Decimal("7.88"))


async def test_a_duplicate_refund_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    efi = ScriptedEfi([refusal("devolucao_id_duplicado", 409), refusal("devolucao_nao_encontrada")])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(EfiUnknown):
            await client.refund(E2E, "r1", amount=Decimal("7.89"))


async def test_a_refusal_to_refund_is_final(tmp_path: Path) -> None:
    async with client_of(ScriptedEfi([refusal("valor_invalido")]), tmp_path) as client:
        with pytest.raises(EfiRefused, match="valor_invalido"):
            await client.refund(E2E, "r1", amount=Decimal("7.89"))


@pytest.mark.parametrize("name", ["devolucao_nao_encontrada", "pix_nao_encontrado"])
async def test_an_unknown_refund_is_not_found(tmp_path: Path, name: str) -> None:
    async with client_of(ScriptedEfi([refusal(name)]), tmp_path) as client:
        with pytest.raises(RefundNotFound):
            await client.get_refund(E2E, "r1")


@pytest.mark.parametrize(
    ("document", "owner"),
    [
        ("12345678909", {"cpf": "12345678909"}),
        ("12ABC34501DE35", {"cnpj": "12ABC34501DE35"}),
        (None, {}),
    ],
)
async def test_a_send_names_the_keys_owner(
    tmp_path: Path, document: str | None, owner: dict[str, str]
) -> None:
    answer = {"idEnvio": "envio1", "e2eId": E2E, "valor": "12.34", "status": "EM_PROCESSAMENTO"}
    efi = ScriptedEfi([json_answer(answer, 201)])

    async with client_of(efi, tmp_path) as client:
        send = await client.send(
            "envio1", amount=Decimal("12.34"), key="+5531999998888", document=document, message="Repasse"
        )

    assert efi.requests[0].url.path == "/v3/gn/pix/envio1"
    assert efi.bodies() == [
        {
            "valor": "12.34",
            "pagador": {"chave": KEY, "infoPagador": "Repasse"},
            "favorecido": {"chave": "+5531999998888"} | owner,
        }
    ]
    assert (send.e2e_id, send.status) == (E2E, SendStatus.PROCESSING)


@pytest.mark.parametrize("name", ["e2eId", "endToEndId"])
async def test_a_sends_id_is_read_under_both_names(tmp_path: Path, name: str) -> None:
    answer = {"idEnvio": "envio1", name: E2E, "valor": "12.34", "status": "EM_PROCESSAMENTO", "horario": None}
    async with client_of(ScriptedEfi([json_answer(answer, 201)]), tmp_path) as client:
        assert (await client.send("envio1", amount=Decimal("12.34"), key="k")).e2e_id == E2E


async def test_a_duplicate_send_of_the_same_money_is_adopted(tmp_path: Path) -> None:
    efi = ScriptedEfi([refusal("id_envio_duplicado", 409), json_answer(enviado())])
    async with client_of(efi, tmp_path) as client:
        send = await client.send("envio1", amount=Decimal("12.34"), key="driver@example.com")
    assert send.status is SendStatus.DONE


@pytest.mark.parametrize("other", [{"valor": "12.35"}, {"chave": "somebody@example.com"}])
async def test_a_duplicate_send_of_other_money_needs_a_person(tmp_path: Path, other: dict[str, str]) -> None:
    efi = ScriptedEfi([refusal("id_envio_duplicado", 409), json_answer(enviado(**other))])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(EfiMismatch):
            await client.send("envio1", amount=Decimal("12.34"), key="driver@example.com")


async def test_a_duplicate_send_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    efi = ScriptedEfi([refusal("id_envio_duplicado", 409), refusal("PixEnviadoNaoEncontrado", 404)])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(EfiUnknown):
            await client.send("envio1", amount=Decimal("12.34"), key="driver@example.com")


async def test_a_denied_send_is_final(tmp_path: Path) -> None:
    async with client_of(ScriptedEfi([refusal("pagamento_negado", 422)]), tmp_path) as client:
        with pytest.raises(EfiRefused) as refused:
            await client.send("envio1", amount=Decimal("12.34"), key="k")
    assert (refused.value.name, refused.value.status) == ("pagamento_negado", 422)


async def test_a_rejected_send_carries_the_banks_code_and_returns(tmp_path: Path) -> None:
    body = enviado(
        status="NAO_REALIZADO",
        horario=None,
        gnExtras={"erro": {"codigo": "AC03", "motivo": "conta"}},
        devolucoes=[devolucao(status="DEVOLVIDO", horario={"liquidacao": "2026-11-24T13:00:00Z"})],
    )
    async with client_of(ScriptedEfi([json_answer(body)]), tmp_path) as client:
        send = await client.get_send("envio1")
    assert (send.status, send.error_code, send.error_reason) == (SendStatus.REJECTED, "AC03", "conta")
    assert [one.amount for one in send.returns] == [Decimal("7.89")]


async def test_an_unknown_send_is_not_found(tmp_path: Path) -> None:
    problem = {
        "type": "https://pix.bcb.gov.br/api/v2/error/PixEnviadoNaoEncontrado",
        "title": "x",
        "status": 404,
    }
    async with client_of(ScriptedEfi([json_answer(problem, 404)]), tmp_path) as client:
        with pytest.raises(SendNotFound):
            await client.get_send("envio1")


FOREIGN_404: Final = [
    httpx.Response(404, text="<html>no such route</html>"),
    json_answer({"error": "Not Found"}, 404),
    json_answer({"error": "not_found", "error_description": "no route matched"}, 404),
    json_answer({"timestamp": 1, "status": 404, "error": "Not Found", "path": "/v2"}, 404),
    json_answer({"type": "about:blank", "title": "Not Found", "status": 404}, 404),
    json_answer({"title": "Not Found", "status": 404}, 404),
    json_answer({"message": "no Route matched with those values"}, 404),
]


@pytest.mark.parametrize("answer", FOREIGN_404, ids=lambda answer: answer.text)
async def test_a_404_that_is_not_efis_is_no_proof_that_a_send_is_unknown(
    tmp_path: Path, answer: httpx.Response
) -> None:
    async with client_of(ScriptedEfi([answer] * 3), tmp_path) as client:
        with pytest.raises(EfiUnknown):
            await client.get_send("envio1")


@pytest.mark.parametrize("answer", FOREIGN_404, ids=lambda answer: answer.text)
async def test_a_404_that_is_not_efis_refuses_no_send(tmp_path: Path, answer: httpx.Response) -> None:
    async with client_of(ScriptedEfi([answer]), tmp_path) as client:
        with pytest.raises(EfiUnknown):
            await client.send("envio1", amount=Decimal("12.34"), key="driver@example.com")


async def test_a_404_in_either_of_efis_own_words_is_its_word(tmp_path: Path) -> None:
    problem = {"type": "https://pix.bcb.gov.br/api/v2/error/PixEnviadoNaoEncontrado", "title": "x"}
    for answer in (json_answer(problem, 404), refusal("envio_nao_encontrado", 404)):
        async with client_of(ScriptedEfi([answer]), tmp_path) as client:
            with pytest.raises(SendNotFound):
                await client.get_send("envio1")


async def test_the_balance_is_exact(tmp_path: Path) -> None:
    async with client_of(ScriptedEfi([json_answer({"saldo": "100.10"})]), tmp_path) as client:
        assert await client.balance() == Decimal("100.10")


async def test_the_webhook_is_registered_on_our_key(tmp_path: Path) -> None:
    efi = ScriptedEfi([json_answer({"webhookUrl": "https://ibora.invalid"}, 201)])
    async with client_of(efi, tmp_path, efi_pix_key="+5531999998888") as client:
        await client.register_webhook("https://ibora.invalid/webhooks/efi")
    assert efi.requests[0].url.raw_path == b"/v2/webhook/%2B5531999998888"
    assert efi.bodies() == [{"webhookUrl": "https://ibora.invalid/webhooks/efi"}]


async def test_the_registered_webhook_is_read(tmp_path: Path) -> None:
    body = {"webhookUrl": "https://a.invalid", "chave": KEY, "criacao": "2026-11-24T12:00:00Z"}
    async with client_of(ScriptedEfi([json_answer(body)]), tmp_path) as client:
        webhook = await client.get_webhook()
    assert webhook is not None
    assert (webhook.url, webhook.created_at) == ("https://a.invalid", NOW)


async def test_no_webhook_is_none(tmp_path: Path) -> None:
    async with client_of(ScriptedEfi([refusal("webhook_nao_encontrado")]), tmp_path) as client:
        assert await client.get_webhook() is None


async def test_a_webhook_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path) -> None:
    async with client_of(ScriptedEfi([refusal("chave_invalida")]), tmp_path) as client:
        with pytest.raises(EfiRefused):
            await client.get_webhook()


@pytest.mark.parametrize("amount", [Decimal("0.00"), Decimal("-1.00"), Decimal("1.001")])
async def test_an_impossible_amount_never_leaves(tmp_path: Path, amount: Decimal) -> None:
    efi = ScriptedEfi()
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(ValueError, match=r"amount|decimals"):
            await client.send("envio1", amount=amount, key="k")
    assert efi.requests == []


async def test_a_message_that_is_too_long_never_leaves(tmp_path: Path) -> None:
    async with client_of(ScriptedEfi(), tmp_path) as client:
        with pytest.raises(ValueError, match="140"):
            await client.create_charge(TXID, amount=FIFTY, expires_s=60, message="x" * 141)


async def test_what_is_read_does_not_show_keys_when_printed(tmp_path: Path) -> None:
    efi = ScriptedEfi([json_answer(cob()), json_answer(enviado())])
    async with client_of(efi, tmp_path) as client:
        shown = f"{await client.get_charge(TXID)!r} {await client.get_send('envio1')!r}"
    assert KEY not in shown
    assert "driver@example.com" not in shown
    assert "00020101021226" not in shown
