"""Webhook bodies are told apart as the reference says (§1.7)."""

import json
from decimal import Decimal
from typing import Any

import pytest
from efi_fakes import E2E, KEY, NOW, TXID, devolucao
from hypothesis import given
from hypothesis import strategies as st

from efi import MalformedWebhook, RefundStatus, WebhookItem, WebhookKind, parse_webhook


def item(**entry: Any) -> WebhookItem:
    (one,) = parse_webhook(json.dumps({"pix": [entry]}).encode())
    return one


def received(**changes: Any) -> dict[str, Any]:
    return {
        "endToEndId": E2E,
        "txid": TXID,
        "chave": KEY,
        "valor": "0.01",
        "horario": "2026-11-24T12:00:00.000Z",
    } | changes


def test_a_received_pix_is_one() -> None:
    one = item(**received(gnExtras={"tarifa": "0.01", "pagador": {"nome": "M"}}))
    assert one.kind is WebhookKind.RECEIVED
    assert (one.e2e_id, one.txid, one.key, one.amount) == (E2E, TXID, KEY, Decimal("0.01"))
    assert (one.occurred_at, one.fee, one.status) == (NOW, Decimal("0.01"), None)


def test_a_refund_is_told_by_its_list() -> None:
    one = item(**received(devolucoes=[devolucao(status="NAO_REALIZADO", motivo="Saldo insuficiente")]))
    assert one.kind is WebhookKind.REFUND
    assert (one.refunds[0].refund_id, one.refunds[0].status) == ("r1", RefundStatus.REJECTED)


def test_an_empty_list_of_refunds_is_no_refund() -> None:
    assert item(**received(devolucoes=[])).kind is WebhookKind.RECEIVED


def test_a_send_is_told_by_its_id() -> None:
    one = item(**received(txid=None, status="REALIZADO", gnExtras={"idEnvio": "envio1"}))
    assert (one.kind, one.id_envio, one.status) == (WebhookKind.SEND, "envio1", "REALIZADO")


def test_a_send_is_told_by_its_type() -> None:
    assert item(**received(tipo="SOLICITACAO")).kind is WebhookKind.SEND


def test_a_rejected_send_carries_the_banks_code() -> None:
    extras = {"idEnvio": "envio1", "erro": {"codigo": "AC03", "origem": "PSP", "motivo": "conta"}}
    one = item(**received(tipo="SOLICITACAO", status="NAO_REALIZADO", horario=None, gnExtras=extras))
    assert (one.kind, one.status, one.error_code) == (WebhookKind.SEND, "NAO_REALIZADO", "AC03")
    assert one.occurred_at is None


def test_a_returned_send_is_a_send_with_returns() -> None:
    one = item(**received(gnExtras={"idEnvio": "envio1"}, devolucoes=[devolucao(status="DEVOLVIDO")]))
    assert (one.kind, len(one.refunds)) == (WebhookKind.SEND, 1)


def test_what_fits_nothing_is_unknown_and_kept() -> None:
    one = item(endToEndId=E2E, valor="1.00")
    assert (one.kind, one.e2e_id, one.raw["valor"]) == (WebhookKind.UNKNOWN, E2E, "1.00")


@pytest.mark.parametrize(
    "entry",
    [
        received(valor="one real"),
        received(valor=0.1),
        received(horario="yesterday"),
        received(gnExtras={"tarifa": []}),
        received(devolucoes=[{"id": "r1"}]),
        "text",
        None,
    ],
)
def test_an_unreadable_entry_does_not_hide_its_neighbours(entry: object) -> None:
    broken, fine = parse_webhook(json.dumps({"pix": [entry, received()]}).encode())
    expected = (
        WebhookKind.RECEIVED if isinstance(entry, dict) and entry["valor"] == 0.1 else WebhookKind.UNKNOWN
    )
    assert broken.kind is expected
    assert fine.kind is WebhookKind.RECEIVED


@pytest.mark.parametrize("body", [b'{"evento": "teste_webhook"}', b"{}", b"[]", b'"pix"', b"null"])
def test_a_test_body_has_no_entries(body: bytes) -> None:
    assert parse_webhook(body) == []


DEEP = b'{"pix": ' + b"[" * 100_000


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"\xff\xfe", b'{"pix": {"a": 1}}', b'{"pix": [{"valor": NaN}]}', DEEP]
)
def test_a_body_that_is_no_webhook_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedWebhook):
        parse_webhook(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
fields = st.sampled_from(
    ["endToEndId", "txid", "chave", "valor", "horario", "gnExtras", "devolucoes", "tipo", "status"]
)


@given(st.lists(json_values | st.dictionaries(fields, json_values, max_size=4), max_size=3))
def test_no_entry_ever_makes_it_fail(entries: list[Any]) -> None:
    assert len(parse_webhook(json.dumps({"pix": entries}).encode())) == len(entries)


@pytest.mark.parametrize("returns", [5, True, "x", {"id": "1"}, [5], [[]]])
def test_nonsense_in_one_entry_does_not_hide_its_neighbour(returns: Any) -> None:
    body = json.dumps({"pix": [received() | {"devolucoes": returns}, received()]})
    kinds = [one.kind for one in parse_webhook(body.encode())]
    assert kinds == [WebhookKind.UNKNOWN, WebhookKind.RECEIVED]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_number_is_malformed(number: str) -> None:
    with pytest.raises(MalformedWebhook):
        parse_webhook(f'{{"pix": [{{"valor": {number}}}]}}'.encode())


def test_a_body_nested_without_end_is_malformed() -> None:
    with pytest.raises(MalformedWebhook):
        parse_webhook(b"[" * 100_000)


def test_an_item_does_not_show_personal_data_when_printed() -> None:
    assert KEY not in repr(item(**received()))
