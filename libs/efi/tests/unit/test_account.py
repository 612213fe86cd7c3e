"""What the client asks about the account: statements, webhooks, replays, lists."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from efi_fakes import E2E, KEY, NOW, TXID, ScriptedEfi, client_of, cob, json_answer, refusal

from efi import (
    ChargeStatus,
    EfiClient,
    EfiError,
    EfiRefused,
    EfiUnknown,
    EfiUnreachable,
    ReplayKind,
    StatementKind,
    StatementNotFound,
)

DAY = date(2026, 11, 23)
END = datetime(2026, 11, 25, tzinfo=UTC)
HOOK = {"webhookUrl": "https://a.invalid", "chave": KEY, "criacao": "2026-11-24T12:00:00Z"}
Ask = Callable[[EfiClient], Awaitable[object]]


async def test_a_statement_is_ordered_by_its_day(tmp_path: Path) -> None:
    efi = ScriptedEfi([json_answer({"id": 7, "status": "EM_PROCESSAMENTO"}, 202)])
    async with client_of(efi, tmp_path) as client:
        assert await client.request_statement(DAY) == "7"
    (body,) = efi.bodies()
    assert (efi.requests[0].method, efi.requests[0].url.path) == (
        "POST",
        "/v2/gn/relatorios/extrato-conciliacao",
    )
    assert body["dataMovimento"] == "2026-11-23"
    assert body["tipoRegistros"]["pixRecebido"] is True


async def test_a_statement_that_is_being_made_is_none(tmp_path: Path) -> None:
    efi = ScriptedEfi([json_answer({"id": "7", "status": "EM_PROCESSAMENTO"}, 202)])
    async with client_of(efi, tmp_path) as client:
        assert await client.statement("7") is None


async def test_a_statement_is_read(tmp_path: Path) -> None:
    text = "data,tipo,valor,endToEndId\n2026-11-23T12:00:00Z,PIX_ENVIADO,-1.00,E1\n"
    efi = ScriptedEfi([httpx.Response(200, text=text, headers={"Content-Type": "text/csv"})])
    async with client_of(efi, tmp_path) as client:
        rows = await client.statement("7/8")
    assert efi.requests[0].url.raw_path == b"/v2/gn/relatorios/7%2F8"
    assert rows is not None
    assert [(row.kind, row.amount, row.e2e_id) for row in rows] == [
        (StatementKind.PIX_SENT, Decimal("-1.00"), "E1")
    ]


async def test_a_statement_nobody_ordered_is_not_found(tmp_path: Path) -> None:
    problem = {"type": "https://pix.bcb.gov.br/api/v2/error/RelatorioNaoEncontrado", "status": 404}
    async with client_of(ScriptedEfi([json_answer(problem, 404)]), tmp_path) as client:
        with pytest.raises(StatementNotFound):
            await client.statement("7")


async def test_another_refusal_of_a_statement_stays_one(tmp_path: Path) -> None:
    async with client_of(ScriptedEfi([refusal("valor_invalido")]), tmp_path) as client:
        with pytest.raises(EfiRefused):
            await client.statement("7")


async def test_blocked_money_is_not_available(tmp_path: Path) -> None:
    body = {"saldo": "100.00", "bloqueios": {"judicial": "10.00", "med": "5.00", "total": "15.00"}}
    efi = ScriptedEfi([json_answer(body)])
    async with client_of(efi, tmp_path) as client:
        balance = await client.balances()
    assert efi.requests[0].url.query == b"bloqueios=true"
    assert (balance.total, balance.blocked, balance.available) == (
        Decimal("100.00"),
        Decimal("15.00"),
        Decimal("85.00"),
    )


async def test_the_check_of_a_webhook_is_skipped_on_request_only(tmp_path: Path) -> None:
    efi = ScriptedEfi([json_answer(HOOK, 201), json_answer(HOOK, 201)])
    async with client_of(efi, tmp_path) as client:
        await client.register_webhook("https://a.invalid", key="a@b.invalid", skip_mtls=True)
        await client.register_webhook("https://a.invalid")
    assert [request.headers.get("x-skip-mtls-checking") for request in efi.requests] == ["true", None]
    assert efi.requests[0].url.raw_path == b"/v2/webhook/a%40b.invalid"


async def test_all_webhooks_are_listed_page_by_page(tmp_path: Path) -> None:
    pages = {"paginacao": {"quantidadeDePaginas": 2}}
    efi = ScriptedEfi([json_answer({"parametros": pages, "webhooks": [HOOK]}) for _ in range(2)])
    async with client_of(efi, tmp_path) as client:
        found = await client.webhooks()
    assert [(one.key, one.url, one.created_at) for one in found] == [(KEY, "https://a.invalid", NOW)] * 2
    assert [request.url.params["paginacao.paginaAtual"] for request in efi.requests] == ["0", "1"]


async def test_a_webhook_is_removed_once(tmp_path: Path) -> None:
    absent = refusal("webhook_nao_encontrado", 404)
    efi = ScriptedEfi([httpx.Response(204), absent, refusal("chave_invalida")])
    async with client_of(efi, tmp_path) as client:
        assert await client.delete_webhook(KEY) is True
        assert await client.delete_webhook(KEY) is False
        with pytest.raises(EfiRefused):
            await client.delete_webhook(KEY)
    assert {request.method for request in efi.requests} == {"DELETE"}


async def test_a_replay_names_what_to_tell_again(tmp_path: Path) -> None:
    efi = ScriptedEfi([httpx.Response(202)])
    async with client_of(efi, tmp_path) as client:
        await client.replay_webhooks(ReplayKind.RETURN_RECEIVED, [E2E])
    assert efi.bodies() == [{"tipo": "DEVOLUCAO_RECEBIDA", "e2eids": [E2E]}]
    assert efi.requests[0].url.path == "/v2/gn/webhook/reenviar"


@pytest.mark.parametrize("count", [0, 1001])
async def test_a_replay_of_none_or_too_many_never_leaves(tmp_path: Path, count: int) -> None:
    efi = ScriptedEfi()
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(ValueError, match="1000"):
            await client.replay_webhooks(ReplayKind.PIX_SENT, [E2E] * count)
    assert efi.requests == []


async def all_of(found: AsyncIterator[object]) -> list[object]:
    return [one async for one in found]


async def test_charges_are_listed_page_by_page(tmp_path: Path) -> None:
    pages = {"paginacao": {"quantidadeDePaginas": 2}}
    efi = ScriptedEfi([json_answer({"parametros": pages, "cobs": [cob()]}) for _ in range(2)])
    async with client_of(efi, tmp_path) as client:
        found = [one.txid async for one in client.list_charges(NOW, END, status=ChargeStatus.ACTIVE)]
    assert found == [TXID, TXID]
    assert dict(efi.requests[1].url.params) == {
        "status": "ATIVA",
        "inicio": "2026-11-24T12:00:00.000Z",
        "fim": "2026-11-25T00:00:00.000Z",
        "paginacao.paginaAtual": "1",
        "paginacao.itensPorPagina": "500",
    }


async def test_filters_that_were_not_asked_for_are_left_out(tmp_path: Path) -> None:
    efi = ScriptedEfi([json_answer({"pix": []}), json_answer({"pix": []})])
    async with client_of(efi, tmp_path) as client:
        await all_of(client.list_received(NOW, END))
        await all_of(client.list_received(NOW, END, txid=TXID, has_refunds=False))
    first, second = (set(request.url.params) for request in efi.requests)
    assert second - first == {"txid", "devolucaoPresente"}
    assert efi.requests[1].url.params["devolucaoPresente"] == "false"


NEVER_REPEATED: list[Ask] = [
    lambda client: client.request_statement(DAY),
    lambda client: client.replay_webhooks(ReplayKind.PIX_SENT, [E2E]),
    lambda client: client.remove_charge(TXID),
    lambda client: client.delete_webhook(KEY),
]


@pytest.mark.parametrize("ask", NEVER_REPEATED)
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.ReadTimeout(""), EfiUnknown),
        (httpx.Response(503), EfiUnknown),
        (httpx.ConnectError(""), EfiUnreachable),
        (httpx.Response(429, headers={"Retry-After": "1"}), EfiUnreachable),
    ],
    ids=repr,
)
async def test_a_post_a_patch_and_a_delete_are_never_repeated(
    tmp_path: Path, ask: Ask, answer: httpx.Response | Exception, kind: type[EfiError]
) -> None:
    efi = ScriptedEfi([answer])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(kind):
            await ask(client)
    assert len(efi.requests) == 1


REPEATED: list[Ask] = [
    lambda client: client.get_webhook(),
    lambda client: client.webhooks(),
    lambda client: client.balances(),
    lambda client: client.get_charge(TXID),
    lambda client: client.get_received(E2E),
    lambda client: client.get_refund(E2E, "r1"),
    lambda client: client.get_send("envio1"),
    lambda client: client.get_send_by_e2e_id(E2E),
    lambda client: client.statement("7"),
    lambda client: all_of(client.list_charges(NOW, END)),
    lambda client: all_of(client.list_received(NOW, END)),
    lambda client: all_of(client.list_sent(NOW, END)),
    lambda client: client.create_charge(TXID, amount=Decimal("1.00"), expires_s=60),
    lambda client: client.refund(E2E, "r1", amount=Decimal("1.00")),
    lambda client: client.register_webhook("https://a.invalid"),
]


@pytest.mark.parametrize("ask", REPEATED)
async def test_every_get_and_every_put_under_an_id_is_repeated(tmp_path: Path, ask: Ask) -> None:
    efi = ScriptedEfi([httpx.ReadTimeout(""), httpx.Response(500), httpx.ConnectError("")])
    async with client_of(efi, tmp_path) as client:
        with pytest.raises(EfiError):
            await ask(client)
    assert len(efi.requests) == 3
    assert len({(request.method, request.url) for request in efi.requests}) == 1
