"""Tokens, retries and the verdict on what went wrong."""

import asyncio
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from efi_fakes import (
    E2E,
    TXID,
    ScriptedEfi,
    StillClock,
    client_of,
    cob,
    devolucao,
    enviado,
    json_answer,
    refusal,
)
from prometheus_client import REGISTRY

from efi import (
    EfiError,
    EfiRefused,
    EfiThrottled,
    EfiUnauthorized,
    EfiUnknown,
    EfiUnreachable,
)

NEVER_SENT = [httpx.ConnectError(""), httpx.ConnectTimeout(""), httpx.PoolTimeout("")]
MAYBE_SENT = [
    httpx.ReadTimeout(""),
    httpx.WriteTimeout(""),
    httpx.ReadError(""),
    httpx.WriteError(""),
    httpx.RemoteProtocolError(""),
    httpx.Response(500, json={"nome": "erro_aplicacao", "mensagem": "x"}),
    httpx.Response(502, text="<html>Bad gateway</html>"),
    httpx.Response(503, text=""),
    httpx.Response(408, text=""),
    httpx.Response(302, text=""),
    httpx.Response(400, json={"other": 1}),
    httpx.Response(404, text="nothing here"),
    httpx.Response(422, text="<html>Unprocessable</html>"),
]


async def send(efi: ScriptedEfi, folder: Path) -> None:
    async with client_of(efi, folder) as client:
        await client.send("envio1", amount=Decimal("12.34"), key="driver@example.com")


@pytest.mark.parametrize("answer", NEVER_SENT, ids=repr)
async def test_a_send_that_never_left_is_repeated_and_then_unreachable(
    tmp_path: Path, answer: Exception
) -> None:
    efi = ScriptedEfi([answer] * 3)
    with pytest.raises(EfiUnreachable):
        await send(efi, tmp_path)
    assert {request.url.path for request in efi.requests} == {"/v3/gn/pix/envio1"}
    assert len(efi.requests) == 3


@pytest.mark.parametrize("answer", MAYBE_SENT, ids=repr)
async def test_a_send_that_may_have_arrived_is_unknown_and_not_repeated(
    tmp_path: Path, answer: httpx.Response | Exception
) -> None:
    efi = ScriptedEfi([answer])
    with pytest.raises(EfiUnknown):
        await send(efi, tmp_path)
    assert len(efi.requests) == 1


async def test_a_send_with_a_senseless_answer_is_unknown(tmp_path: Path) -> None:
    for body in ({}, {"idEnvio": "envio1", "valor": "12.34", "status": "OUTRO"}, [1]):
        with pytest.raises(EfiUnknown, match="unreadable"):
            await send(ScriptedEfi([json_answer(body, 201)]), tmp_path)


A_PLUS = {"nome": "json_invalido", "mensagem": "x", "erros": [{"chave": "a", "mensagem": "b"}]}
B = {"type": "https://pix.bcb.gov.br/api/v2/error/PagamentoNegado", "title": "x", "violacoes": []}


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (json_answer({"nome": "valor_invalido", "mensagem": "x"}, 400), "valor_invalido"),
        (json_answer(A_PLUS, 400), "json_invalido"),
        (json_answer(B, 422), "PagamentoNegado"),
        (json_answer({"title": "Sem tipo"}, 422), "Sem tipo"),
        (json_answer({"error": "invalid_request", "error_description": "x"}, 400), "invalid_request"),
        (json_answer({"nome": "x", "erros": 5}, 400), "x"),
        (json_answer({"type": "a/B", "violacoes": {"razao": "y"}}, 400), "B"),
    ],
)
async def test_every_error_family_is_a_named_refusal(
    tmp_path: Path, answer: httpx.Response, name: str
) -> None:
    with pytest.raises(EfiRefused) as refused:
        await send(ScriptedEfi([answer]), tmp_path)
    assert (refused.value.name, refused.value.status) == (name, answer.status_code)


@pytest.mark.parametrize(
    ("answer", "kind", "name"),
    [
        (json_answer({"nome": "erro_aplicacao", "mensagem": "x"}, 500), EfiUnknown, "erro_aplicacao"),
        (httpx.Response(502, text="<html>Bad gateway</html>"), EfiUnknown, "http_error"),
        (json_answer({"error": "insufficient_scope"}, 403), EfiUnauthorized, "insufficient_scope"),
        (json_answer({"nome": "pagamento_negado", "mensagem": "x"}, 422), EfiRefused, "pagamento_negado"),
    ],
)
async def test_an_error_keeps_the_status_the_name_and_the_body(
    tmp_path: Path, answer: httpx.Response, kind: type[EfiError], name: str
) -> None:
    with pytest.raises(kind) as error:
        await send(ScriptedEfi([answer]), tmp_path)
    assert (error.value.status, error.value.name) == (answer.status_code, name)
    is_json = "json" in answer.headers["Content-Type"]
    assert error.value.raw == (answer.json() if is_json else answer.text)


async def test_the_kept_body_shows_no_personal_data(tmp_path: Path) -> None:
    key = "123e4567-e12b-42d1-a456-426655440000"
    wrong = {
        "nome": "chave_invalida",
        "mensagem": f"A chave {key} de maria@example.com é inválida.",
        "cpf": "52998224725",
        "chave": key,
        "pixCopiaECola": "00020101021226",
        "conta": {"titular": 52998224725, "agencia": 1, "limite": 10.5},
        "erros": [
            {"chave": "favorecido.chave", "caminho": ".body.favorecido", "mensagem": f"{key} +5531999998888"}
        ],
    }
    with pytest.raises(EfiRefused) as refused:
        await send(ScriptedEfi([json_answer(wrong, 400)]), tmp_path)
    shown = f"{refused.value.raw} {refused.value} {refused.value.detail}"
    assert refused.value.raw["nome"] == "chave_invalida"
    assert refused.value.raw["conta"] == {"titular": "***", "agencia": 1, "limite": "10.5"}
    for secret in (key, "maria@example.com", "52998224725", "00020101021226", "5531999998888"):
        assert secret not in shown


async def test_the_places_of_a_validation_error_are_told(tmp_path: Path) -> None:
    wrong = {"nome": "json_invalido", "mensagem": "m", "erros": [{"caminho": ".body.x", "mensagem": "não"}]}
    with pytest.raises(EfiRefused, match=r"\.body\.x: não"):
        await send(ScriptedEfi([json_answer(wrong, 400)]), tmp_path)
    problem = {"type": "a/B", "detail": "d", "violacoes": [{"propriedade": "valor", "razao": "alto"}]}
    with pytest.raises(EfiRefused, match="d; valor: alto"):
        await send(ScriptedEfi([json_answer(problem, 400)]), tmp_path)


async def test_an_error_never_repeats_a_key_or_document(tmp_path: Path) -> None:
    wrong = {"nome": "chave_invalida", "mensagem": "chave maria@example.com de 123.456.789-09 +5531999998888"}
    with pytest.raises(EfiRefused) as refused:
        await send(ScriptedEfi([json_answer(wrong, 400)]), tmp_path)
    for secret in ("maria@example.com", "123.456.789-09", "5531999998888"):
        assert secret not in str(refused.value)


async def test_a_get_is_repeated_after_any_passing_failure(tmp_path: Path) -> None:
    efi = ScriptedEfi([httpx.ReadTimeout(""), httpx.Response(503), json_answer({"saldo": "1.00"})])
    async with client_of(efi, tmp_path) as client:
        assert await client.balance() == Decimal("1.00")
    first, second = efi.waits
    assert 0.1 <= first <= 0.3
    assert 0.2 <= second <= 0.6


async def test_a_get_gives_up_with_what_it_saw_last(tmp_path: Path) -> None:
    efi = ScriptedEfi([httpx.ReadTimeout(""), httpx.Response(503), httpx.ConnectError("")])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(EfiUnreachable):
            await client.balance()


@pytest.mark.parametrize("after", [httpx.ConnectError(""), refusal("valor_invalido"), httpx.Response(429)])
async def test_a_doubt_survives_whatever_follows(tmp_path: Path, after: httpx.Response | Exception) -> None:
    efi = ScriptedEfi([httpx.ReadTimeout(""), after, after])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(EfiUnknown):
            await client.refund(E2E, "r1", amount=Decimal("7.89"))


async def test_a_refund_is_repeated_with_the_same_id_until_it_is_known(tmp_path: Path) -> None:
    efi = ScriptedEfi([httpx.ReadTimeout(""), json_answer(devolucao(), 201)])
    async with client_of(efi, tmp_path) as client:
        assert (await client.refund(E2E, "r1", amount=Decimal("7.89"))).refund_id == "r1"
    assert len({request.url.path for request in efi.requests}) == 1


async def test_a_short_retry_after_is_honoured(tmp_path: Path) -> None:
    efi = ScriptedEfi([httpx.Response(429, headers={"Retry-After": "3"}), json_answer(enviado(), 201)])
    await send(efi, tmp_path)
    assert efi.waits == [3.0]


async def test_a_long_retry_after_is_handed_to_the_caller(tmp_path: Path) -> None:
    efi = ScriptedEfi([httpx.Response(429, headers={"Retry-After": "60"})])
    with pytest.raises(EfiThrottled) as throttled:
        await send(efi, tmp_path)
    assert throttled.value.retry_after_s == 60
    assert efi.waits == []


@pytest.mark.parametrize(
    ("said", "waits"),
    [("Tue, 24 Nov 2026 12:00:03 GMT", [3.0]), ("Tue, 24 Nov 2026 11:00:00 GMT", [0.0]), ("0", [0.0])],
)
async def test_a_retry_after_may_be_a_date_or_over(tmp_path: Path, said: str, waits: list[float]) -> None:
    efi = ScriptedEfi([httpx.Response(429, headers={"Retry-After": said}), json_answer(enviado(), 201)])
    await send(efi, tmp_path)
    assert efi.waits == waits


async def test_a_date_far_ahead_is_handed_to_the_caller(tmp_path: Path) -> None:
    date = {"Retry-After": "Wed, 25 Nov 2026 12:00:00 GMT"}
    with pytest.raises(EfiThrottled) as throttled:
        await send(ScriptedEfi([httpx.Response(429, headers=date)]), tmp_path)
    assert throttled.value.retry_after_s == 86_400


@pytest.mark.parametrize("said", ["soon", "-1", "1.5", "²", "", "Wed, 21 Oct 99999999999999 07:28:00 GMT"])
async def test_a_retry_after_that_makes_no_sense_is_ignored(tmp_path: Path, said: str) -> None:
    answer = httpx.Response(429, headers=[(b"Retry-After", said.encode())])
    efi = ScriptedEfi([answer, json_answer(enviado(), 201)])
    await send(efi, tmp_path)
    (waited,) = efi.waits
    assert 0.1 <= waited <= 0.3


async def test_a_token_serves_many_calls_and_is_sent_as_bearer(tmp_path: Path) -> None:
    efi = ScriptedEfi([json_answer(cob()) for _ in range(50)])
    async with client_of(efi, tmp_path) as client:
        await asyncio.gather(*(client.get_charge(TXID) for _ in range(50)))
    assert len(efi.logins) == 1
    assert {request.headers["Authorization"] for request in efi.requests} == {"Bearer t1"}
    assert efi.logins[0].headers["Authorization"] == "Basic aWQ6c2VjcmV0"
    assert b"client_credentials" in efi.logins[0].content


async def test_a_token_is_renewed_at_nine_tenths_of_its_life(tmp_path: Path) -> None:
    clock = StillClock()
    efi = ScriptedEfi([json_answer(cob()) for _ in range(3)])
    async with client_of(efi, tmp_path, clock=clock) as client:
        await client.get_charge(TXID)
        clock.advance(3600 * 0.9 - 1)
        await client.get_charge(TXID)
        assert len(efi.logins) == 1
        clock.advance(1)
        await client.get_charge(TXID)
    assert len(efi.logins) == 2


async def test_a_refused_token_is_renewed_once(tmp_path: Path) -> None:
    efi = ScriptedEfi([httpx.Response(401), json_answer(cob())])
    async with client_of(efi, tmp_path) as client:
        await client.get_charge(TXID)
    assert [request.headers["Authorization"] for request in efi.requests] == ["Bearer t1", "Bearer t2"]


async def test_many_refused_tokens_are_renewed_by_one_login(tmp_path: Path) -> None:
    def by_token(request: httpx.Request) -> httpx.Response:
        is_new = request.headers["Authorization"] == "Bearer t2"
        return json_answer(cob()) if is_new else httpx.Response(401)

    efi = ScriptedEfi([by_token] * 100)
    async with client_of(efi, tmp_path) as client:
        await asyncio.gather(*(client.get_charge(TXID) for _ in range(50)))
    assert len(efi.logins) == 2


async def test_a_token_that_is_refused_again_is_a_matter_of_configuration(tmp_path: Path) -> None:
    efi = ScriptedEfi([httpx.Response(401), httpx.Response(401)])
    with pytest.raises(EfiUnauthorized):
        await send(efi, tmp_path)
    assert len(efi.requests) == 2


async def test_a_missing_scope_is_a_matter_of_configuration(tmp_path: Path) -> None:
    missing = json_answer({"error": "insufficient_scope", "error_description": "pix.send"}, 403)
    with pytest.raises(EfiUnauthorized, match="insufficient_scope"):
        await send(ScriptedEfi([missing]), tmp_path)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (json_answer({"error": "invalid_client"}, 401), EfiUnauthorized),
        (json_answer({"error": "invalid_client"}, 400), EfiUnauthorized),
        (httpx.Response(500), EfiUnreachable),
        (httpx.Response(200, text="not a token"), EfiUnreachable),
        (httpx.ReadTimeout(""), EfiUnreachable),
        (httpx.RemoteProtocolError(""), EfiUnreachable),
    ],
)
async def test_a_send_without_a_token_was_never_sent(
    tmp_path: Path, answer: httpx.Response | Exception, kind: type[EfiError]
) -> None:
    efi = ScriptedEfi(tokens=[answer] * 3)
    with pytest.raises(kind):
        await send(efi, tmp_path)
    assert efi.requests == []


async def test_requests_are_measured_by_operation_and_outcome(tmp_path: Path) -> None:
    def count(outcome: str) -> float:
        labels = {"operation": "send", "outcome": outcome}
        return REGISTRY.get_sample_value("efi_request_duration_seconds_count", labels) or 0.0

    before = count("ok"), count("throttled")
    await send(ScriptedEfi([httpx.Response(429), json_answer(enviado(), 201)]), tmp_path)
    assert (count("ok"), count("throttled")) == (before[0] + 1, before[1] + 1)
