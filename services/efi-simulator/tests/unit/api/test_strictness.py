"""Requests that Efí would refuse are refused, in Efí's words."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from simulator_calls import BASIC, COB, ENVIO, WINDOW, Calls, calls_of
from simulator_fakes import KEY, TXID


@pytest.fixture
async def calls(tmp_path: Path) -> AsyncIterator[Calls]:
    async with calls_of(tmp_path) as one:
        yield one


def names(response: httpx.Response) -> tuple[int, str]:
    body = response.json()
    return response.status_code, body.get("nome") or body.get("error") or body.get("type", "").rsplit("/")[-1]


INVALID_JSON = (400, "json_invalido")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"notification_url": "https://x"}, ".body.notification_url"),
        ({"calendario": {"expiracao": 0}}, ".body.calendario.expiracao"),
        ({"calendario": {"expiracao": "3600"}}, ".body.calendario.expiracao"),
        ({"calendario": {"criacao": "x"}}, ".body.calendario.criacao"),
        ({"calendario": None}, ".body.calendario"),
        ({"valor": {"original": "50"}}, ".body.valor.original"),
        ({"valor": {"original": "50.0"}}, ".body.valor.original"),
        ({"valor": {"original": "-50.00"}}, ".body.valor.original"),
        ({"valor": {"original": "12345678901.00"}}, ".body.valor.original"),
        ({"valor": {"original": "٥٠.00"}}, ".body.valor.original"),
        ({"valor": {"original": "50.00\n"}}, ".body.valor.original"),
        ({"valor": {"original": 50.0}}, ".body.valor.original"),
        ({"valor": {"original": "50.00", "extra": 1}}, ".body.valor.extra"),
        ({"devedor": {"nome": "Maria"}}, ".body.devedor"),
        ({"devedor": {"cpf": "52998224725"}}, ".body.devedor.nome"),
        ({"devedor": {"cpf": "52998224725", "cnpj": "11222333000181", "nome": "M"}}, ".body.devedor"),
        ({"devedor": {"cpf": "529.982.247-25", "nome": "M"}}, ".body.devedor.cpf"),
        ({"chave": "x" * 78}, ".body.chave"),
        ({"solicitacaoPagador": "x" * 141}, ".body.solicitacaoPagador"),
        ({"infoAdicionais": [{"nome": "n", "valor": "v"}] * 51}, ".body.infoAdicionais"),
        ({"infoAdicionais": [{"nome": "n" * 51, "valor": "v"}]}, ".body.infoAdicionais.0.nome"),
        ({"loc": {"id": 1}}, ".body.loc"),
    ],
)
async def test_a_charge_with_a_wrong_field_is_refused_with_its_place(
    calls: Calls, changes: dict[str, Any], path: str
) -> None:
    response = await calls.charge(**changes)
    assert names(response) == INVALID_JSON
    assert path in [one["caminho"] for one in response.json()["erros"]]
    assert calls.bank.charges == {}


@pytest.mark.parametrize("txid", ["short", "x" * 25, "x" * 36, "0123456789abcdef-0123456789abcdef"])
async def test_a_txid_of_the_wrong_shape_is_refused(calls: Calls, txid: str) -> None:
    response = await calls.api.put(f"/v2/cob/{txid}", json=COB)
    assert names(response) == INVALID_JSON
    assert response.json()["erros"][0]["caminho"] == ".path.txid"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"'])
async def test_a_body_that_is_no_object_is_refused(calls: Calls, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert names(await calls.api.put(f"/v2/cob/{TXID}", content=body, headers=headers)) == INVALID_JSON


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"valor": {"original": "0.00"}}, (400, "valor_invalido")),
        ({"chave": "other@example.com"}, (400, "chave_invalida")),
    ],
)
async def test_a_charge_that_makes_no_sense_is_refused(
    calls: Calls, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert names(await calls.charge(**changes)) == expected


async def test_a_txid_used_twice_is_a_conflict(calls: Calls) -> None:
    assert (await calls.charge()).status_code == 201
    assert names(await calls.charge()) == (409, "txid_duplicado")


async def test_an_unknown_charge_is_a_400_as_documented(calls: Calls) -> None:
    expected = (400, "cobranca_nao_encontrada")
    removal = {"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"}
    assert names(await calls.api.get(f"/v2/cob/{TXID}")) == expected
    assert names(await calls.api.patch(f"/v2/cob/{TXID}", json=removal)) == expected


@pytest.mark.parametrize("body", [{}, {"status": "CONCLUIDA"}, {"status": None, "x": 1}])
async def test_a_revision_that_says_nothing_allowed_is_refused(calls: Calls, body: dict[str, Any]) -> None:
    await calls.charge()
    assert names(await calls.api.patch(f"/v2/cob/{TXID}", json=body)) == INVALID_JSON


async def test_a_charge_is_revised(calls: Calls) -> None:
    await calls.charge()
    body = {"valor": {"original": "60.00"}, "calendario": {"expiracao": 60}, "solicitacaoPagador": "Oi"}
    response = await calls.api.patch(f"/v2/cob/{TXID}", json=body)
    assert response.status_code == 200
    assert (response.json()["valor"]["original"], response.json()["revisao"]) == ("60.00", 1)
    assert (await calls.api.get(f"/v2/cob/{TXID}?revisao=1")).status_code == 200
    assert names(await calls.api.get(f"/v2/cob/{TXID}?revisao=0")) == (400, "cobranca_nao_encontrada")


async def test_a_paid_charge_cannot_be_removed(calls: Calls) -> None:
    await calls.charge()
    await calls.pay()
    response = await calls.api.patch(f"/v2/cob/{TXID}", json={"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"})
    assert names(response) == (400, "status_cobranca_invalido")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"valor": "12.3"}, INVALID_JSON),
        ({"valor": 12.34}, INVALID_JSON),
        ({"valor": "0.00"}, (400, "valor_invalido")),
        ({"valor": "1000.01"}, (422, "pagamento_negado")),
        ({"extra": 1}, INVALID_JSON),
        ({"pagador": {"chave": KEY, "infoPagador": "x" * 141}}, INVALID_JSON),
        ({"pagador": {"chave": "other@example.com"}}, (400, "chave_invalida")),
        ({"favorecido": {"chave": "nobody"}}, (400, "chave_invalida")),
        ({"favorecido": {"chave": "a@b.co", "cpf": "1"}}, INVALID_JSON),
        ({"favorecido": {"contaBanco": {}}}, INVALID_JSON),
        (
            {"favorecido": {"chave": "11144477735", "cpf": "52998224725"}},
            (400, "chave_nao_pertence_ao_documento"),
        ),
    ],
)
async def test_a_send_that_cannot_be_is_refused(
    calls: Calls, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert names(await calls.send(**changes)) == expected
    assert calls.bank.sends == {}


@pytest.mark.parametrize("id_envio", ["with-dash", "x" * 36])
async def test_an_id_envio_of_the_wrong_shape_is_refused(calls: Calls, id_envio: str) -> None:
    assert names(await calls.send(id_envio)) == INVALID_JSON


async def test_the_older_route_sends_too_and_shares_the_ids(calls: Calls) -> None:
    assert (await calls.api.put("/v2/gn/pix/envio1", json=ENVIO)).status_code == 201
    assert names(await calls.send()) == (409, "id_envio_duplicado")


async def test_a_send_needs_a_webhook(calls: Calls) -> None:
    assert (await calls.api.delete(f"/v2/webhook/{KEY}")).status_code == 204
    assert names(await calls.send()) == (400, "webhook_nao_encontrado")


@pytest.mark.parametrize("path", ["id-envio/envio1", "E1"])
async def test_an_unknown_send_is_a_problem(calls: Calls, path: str) -> None:
    response = await calls.api.get(f"/v2/gn/pix/enviados/{path}")
    assert names(response) == (404, "PixEnviadoNaoEncontrado")
    assert response.headers["Content-Type"] == "application/problem+json"


async def test_a_refund_is_refused_in_efis_words(calls: Calls) -> None:
    await calls.charge()
    e2e_id = await calls.pay()
    path = f"/v2/pix/{e2e_id}/devolucao"
    assert names(await calls.api.put(f"{path}/r-1", json={"valor": "1.00"})) == INVALID_JSON
    assert names(await calls.api.put(f"{path}/r1", json={"valor": "1"})) == INVALID_JSON
    assert names(await calls.api.put(f"{path}/r1", json={"valor": "50.01"})) == (400, "valor_invalido")
    assert names(await calls.api.get(f"{path}/r1")) == (400, "devolucao_nao_encontrada")
    assert (await calls.api.put(f"{path}/r1", json={"valor": "1.00"})).status_code == 201
    assert names(await calls.api.put(f"{path}/r1", json={"valor": "1.00"})) == (409, "devolucao_id_duplicado")
    assert names(await calls.api.put("/v2/pix/E1/devolucao/r1", json={"valor": "1.00"})) == (
        400,
        "pix_nao_encontrado",
    )


@pytest.mark.parametrize("path", ["/v2/cob", "/v2/pix", "/v2/gn/pix/enviados", "/v2/webhook"])
@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, INVALID_JSON),
        ({"inicio": "2026-11-24", "fim": "2026-11-25"}, INVALID_JSON),
        ({"inicio": "2026-11-24T00:00:00", "fim": "2026-11-25T00:00:00"}, INVALID_JSON),
        (WINDOW | {"paginacao.itensPorPagina": "1001"}, INVALID_JSON),
        (WINDOW | {"paginacao.paginaAtual": "-1"}, INVALID_JSON),
        ({"inicio": WINDOW["fim"], "fim": WINDOW["inicio"]}, (400, "valor_invalido")),
    ],
)
async def test_a_list_without_a_sound_window_is_refused(
    calls: Calls, path: str, params: dict[str, str], expected: tuple[int, str]
) -> None:
    assert names(await calls.api.get(path, params=params)) == expected


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, 2),
        ({"txid": TXID}, 1),
        ({"txIdPresente": "true"}, 1),
        ({"txIdPresente": "false"}, 1),
        ({"devolucaoPresente": "true"}, 1),
        ({"cpf": "52998224725"}, 1),
        ({"cnpj": "11222333000181"}, 0),
    ],
)
async def test_received_pix_are_filtered(calls: Calls, filters: dict[str, str], found: int) -> None:
    await calls.charge()
    await calls.pay(payer_cpf="52998224725")
    loose = (await calls.control.post("/_control/pix", json={"amount": "5.00"})).json()["endToEndId"]
    await calls.api.put(f"/v2/pix/{loose}/devolucao/r1", json={"valor": "1.00"})
    response = await calls.api.get("/v2/pix", params=WINDOW | filters)
    assert len(response.json()["pix"]) == found


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, 1),
        ({"status": "ATIVA"}, 1),
        ({"status": "CONCLUIDA"}, 0),
        ({"cpf": "52998224725"}, 1),
        ({"cnpj": "11222333000181"}, 0),
    ],
)
async def test_charges_are_filtered(calls: Calls, filters: dict[str, str], found: int) -> None:
    await calls.charge()
    response = await calls.api.get("/v2/cob", params=WINDOW | filters)
    assert len(response.json()["cobs"]) == found


@pytest.mark.parametrize("url", ["http://ibora.invalid/x", "ibora.invalid", "https://"])
async def test_a_webhook_that_is_no_https_url_is_refused(calls: Calls, url: str) -> None:
    assert names(await calls.api.put(f"/v2/webhook/{KEY}", json={"webhookUrl": url})) == INVALID_JSON


async def test_a_webhook_of_a_foreign_key_is_refused(calls: Calls) -> None:
    response = await calls.api.put("/v2/webhook/a@b.co", json={"webhookUrl": "https://x.invalid"})
    assert names(response) == (400, "chave_invalida")


async def test_a_webhook_that_fails_its_probe_is_not_kept(calls: Calls) -> None:
    calls.post.statuses = [500]
    response = await calls.api.put(f"/v2/webhook/{KEY}", json={"webhookUrl": "https://new.invalid"})
    assert names(response) == (400, "webhook_invalido")
    assert "500" in response.json()["mensagem"]
    assert "new.invalid" not in (await calls.api.get(f"/v2/webhook/{KEY}")).text


async def test_the_probe_is_skipped_on_request(calls: Calls) -> None:
    response = await calls.api.put(
        f"/v2/webhook/{KEY}",
        json={"webhookUrl": "https://new.invalid"},
        headers={"x-skip-mtls-checking": "true"},
    )
    assert response.status_code == 201
    assert calls.post.posted == []


async def test_a_webhook_is_registered_read_listed_and_removed(calls: Calls) -> None:
    response = await calls.api.put(f"/v2/webhook/{KEY}", json={"webhookUrl": "https://new.invalid"})
    assert response.status_code == 201
    assert (await calls.api.get(f"/v2/webhook/{KEY}")).json() == response.json()
    assert (await calls.api.get("/v2/webhook", params=WINDOW)).json()["webhooks"] == [response.json()]
    assert (await calls.api.delete(f"/v2/webhook/{KEY}")).status_code == 204
    for method in ("GET", "DELETE"):
        assert names(await calls.api.request(method, f"/v2/webhook/{KEY}")) == (404, "webhook_nao_encontrado")


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer guess", "Basic eDp5"])
async def test_nothing_is_told_without_a_token(calls: Calls, header: str) -> None:
    for path in ("/v2/gn/saldo", f"/v2/cob/{TXID}", "/v2/pix", f"/v2/webhook/{KEY}"):
        response = await calls.api.get(path, headers={"Authorization": header})
        assert names(response) == (401, "invalid_token")


async def test_a_token_expires(calls: Calls) -> None:
    calls.clock.advance(3599)
    assert (await calls.api.get("/v2/gn/saldo")).status_code == 200
    calls.clock.advance(1)
    assert names(await calls.api.get("/v2/gn/saldo")) == (401, "invalid_token")


async def test_tokens_can_be_revoked(calls: Calls) -> None:
    await calls.control.post("/_control/tokens/revoke")
    assert names(await calls.api.get("/v2/gn/saldo")) == (401, "invalid_token")


@pytest.mark.parametrize("auth", [("Client_Id_1", "guess"), ("", "")])
async def test_a_wrong_secret_gets_no_token(calls: Calls, auth: tuple[str, str]) -> None:
    response = await calls.api.post("/oauth/token", json={"grant_type": "client_credentials"}, auth=auth)
    assert names(response) == (401, "invalid_client")


@pytest.mark.parametrize("header", ["", "Basic ?", "Bearer x"])
async def test_broken_credentials_get_no_token(calls: Calls, header: str) -> None:
    headers = {"Authorization": header}
    response = await calls.api.post(
        "/oauth/token", json={"grant_type": "client_credentials"}, headers=headers
    )
    assert names(response) == (401, "invalid_client")


async def test_another_grant_is_not_supported(calls: Calls) -> None:
    response = await calls.api.post("/oauth/token", json={"grant_type": "password"}, auth=BASIC)
    assert names(response) == (400, "unsupported_grant_type")


async def test_an_unknown_route_or_method_answers_in_the_family(calls: Calls) -> None:
    assert names(await calls.api.get("/v2/nothing")) == (404, "rota_nao_encontrada")
    assert names(await calls.api.post(f"/v2/cob/{TXID}")) == (405, "rota_nao_encontrada")


async def test_a_bug_answers_in_the_family(calls: Calls) -> None:
    calls.bank.charges[TXID] = "no charge"  # type: ignore[assignment]
    assert names(await calls.api.get(f"/v2/cob/{TXID}")) == (500, "erro_aplicacao")
