"""The statement lists what happened, whatever is said of it, on the São Paulo day on which it happened."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from simulator_fakes import LATER, NOW, TXID, bank, charge, send

from efi_simulator.domain.bank import Bank
from efi_simulator.domain.modes import RefundMode, SendMode
from efi_simulator.domain.nouns import Report, SendStatus
from efi_simulator.domain.receiving import pay_charge, receive_pix, request_refund
from efi_simulator.domain.refusals import InvalidReport, UnknownReport
from efi_simulator.domain.reporting import KINDS, csv_of, order_report, report_of
from efi_simulator.domain.sending import contradict_send
from efi_simulator.domain.settling import settle

TODAY = date(2026, 11, 24)
TOMORROW = NOW + timedelta(days=1)


def rows(books: Bank, *, day: date = TODAY, records: tuple[str, ...] = tuple(KINDS)) -> list[list[str]]:
    report = order_report(books, day=day, records=records, now=TOMORROW)
    header, *lines = csv_of(books, report).splitlines()
    assert header == "data,tipo,valor,endToEndId,txid,idEnvio,rtrId"
    return [line.split(",") for line in lines]


def busy() -> Bank:
    books = bank(receive_fee=Decimal("0.30"), send_fee=Decimal("0.20"))
    charge(books)
    received = pay_charge(books, txid=TXID, amount=None, payer_cpf=None, now=NOW)
    request_refund(books, e2e_id=received.e2e_id, refund_id="r1", amount=Decimal("4.00"), now=NOW)
    books.send_mode.set(SendMode.RETURN_LATER, count=1)
    send(books)
    settle(books, now=LATER)
    return books


def test_every_movement_has_a_line_with_its_sign_and_ids() -> None:
    books = busy()
    (received,), (refund,), (sent,) = (list(s.values()) for s in (books.received, books.refunds, books.sends))
    (returned,) = sent.returns
    assert [row[1:] for row in rows(books)] == [
        ["PIX_RECEBIDO", "50.00", received.e2e_id, TXID, "", ""],
        ["TARIFA", "-0.30", received.e2e_id, TXID, "", ""],
        ["DEVOLUCAO_ENVIADA", "-4.00", received.e2e_id, TXID, "", refund.return_id],
        ["DEVOLUCAO_RECEBIDA", "12.34", sent.e2e_id, "", "envio1", returned.return_id],
        ["PIX_ENVIADO", "-12.34", sent.e2e_id, "", "envio1", ""],
        ["TARIFA", "-0.20", sent.e2e_id, "", "envio1", ""],
    ]


def test_the_lines_add_up_to_what_the_balance_moved() -> None:
    books = busy()
    moved = sum(Decimal(row[2]) for row in rows(books))
    assert books.opening_balance + moved == books.balance


@pytest.mark.parametrize(
    ("record", "kinds"),
    [
        ("pixRecebido", ["PIX_RECEBIDO"]),
        ("tarifaPixRecebido", ["TARIFA"]),
        ("pixEnviadoChave", ["PIX_ENVIADO"]),
        ("pixDevolucaoRecebida", ["DEVOLUCAO_RECEBIDA"]),
        ("saldoDia", []),
    ],
)
def test_only_what_was_asked_for_is_listed(record: str, kinds: list[str]) -> None:
    assert [row[1] for row in rows(busy(), records=(record,))] == kinds


def test_without_fees_there_are_no_lines_of_them() -> None:
    books = bank()
    receive_pix(books, txid=None, amount=Decimal("1.00"), payer_cpf=None, now=NOW)
    send(books)
    settle(books, now=LATER)
    assert [row[1] for row in rows(books)] == ["PIX_RECEBIDO", "PIX_ENVIADO"]


def test_what_did_not_happen_has_no_line() -> None:
    books = bank()
    received = receive_pix(books, txid=None, amount=Decimal("9.00"), payer_cpf=None, now=NOW)
    books.refund_mode.set(RefundMode.REJECT_LATER, count=1)
    request_refund(books, e2e_id=received.e2e_id, refund_id="r1", amount=Decimal("4.00"), now=NOW)
    books.send_mode.set(SendMode.REJECT_LATER, count=1)
    send(books)
    settle(books, now=LATER)
    send(books, id_envio="envio2")
    assert [row[1] for row in rows(books)] == ["PIX_RECEBIDO"]


def test_what_happened_and_was_contradicted_has_its_line() -> None:
    books = bank()
    received = receive_pix(books, txid=None, amount=Decimal("9.00"), payer_cpf=None, now=NOW)
    books.refund_mode.set(RefundMode.CONTRADICT, count=1)
    request_refund(books, e2e_id=received.e2e_id, refund_id="r1", amount=Decimal("4.00"), now=NOW)
    send(books)
    settle(books, now=LATER)
    contradict_send(books, id_envio="envio1", status=SendStatus.REJECTED)
    kinds = [row[1] for row in rows(books)]
    assert sorted(kinds) == ["DEVOLUCAO_ENVIADA", "PIX_ENVIADO", "PIX_RECEBIDO"]


def test_the_day_is_sao_paulos() -> None:
    books = bank()
    for moment in (datetime(2026, 11, 25, 2, 59, tzinfo=UTC), datetime(2026, 11, 25, 3, 0, tzinfo=UTC)):
        receive_pix(books, txid=None, amount=Decimal("1.00"), payer_cpf=None, now=moment)
    assert [row[0] for row in rows(books)] == ["2026-11-25T02:59:00.000Z"]


def test_a_day_that_is_not_over_has_a_statement_only_by_a_rule() -> None:
    books = bank()

    def order() -> Report:
        return order_report(books, day=TODAY, records=(), now=NOW)

    with pytest.raises(InvalidReport):
        order()
    books.rules.open_days = True
    report = order()
    assert report_of(books, report_id=report.id) == report
    assert report.ready_at == NOW + books.rules.report_after
    with pytest.raises(UnknownReport):
        report_of(books, report_id="other")
