"""The statement's file is read by its column names, and every line must make sense."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from efi import EfiUnknown, StatementKind, StatementRow, parse_statement

E2E = "E99999004202611241200abcdefghijk"
OURS = f"data,tipo,valor,endToEndId,txid,idEnvio,rtrId\n2026-11-24T12:00:00.000Z,PIX_RECEBIDO,50.00,{E2E},txid1,,\n"
OTHER_TITLES = f"""Lançamento,Horário,Valor lançamento,End to End ID,TXID,Saldo
PIX_RECEBIDO,2026-11-24T12:00:00Z,50.00,{E2E},txid1,9
"""
ROW = StatementRow(
    kind=StatementKind.PIX_RECEIVED,
    amount=Decimal("50.00"),
    occurred_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
    e2e_id=E2E,
    txid="txid1",
)


@pytest.mark.parametrize(
    "text",
    [
        OURS,
        "\ufeff" + OURS,
        OURS.replace("\n", "\r\n"),
        OURS + "\n",
        OURS.replace(",", ";"),
        f"Valor;Tipo;Data;E2E Id;TxId\n50,00;PIX_RECEBIDO;2026-11-24T09:00:00-03:00;{E2E};txid1\n",
        OTHER_TITLES,
    ],
)
def test_columns_are_found_by_name_in_any_order(text: str) -> None:
    assert parse_statement(text.encode()) == (ROW,)


@pytest.mark.parametrize(
    ("amount", "read"),
    [
        ("-12.34", "-12.34"),
        ('"-1.234.567,89"', "-1234567.89"),
        ('"0,01"', "0.01"),
        ("1000.00", "1000.00"),
        ("7", "7.00"),
    ],
)
def test_amounts_are_signed_and_exact_in_either_notation(amount: str, read: str) -> None:
    (row,) = parse_statement(f"tipo,data,valor\nTARIFA,2026-11-24T12:00:00Z,{amount}\n".encode())
    assert (row.amount, row.e2e_id, row.return_id) == (Decimal(read), None, None)


def test_every_kind_is_known() -> None:
    lines = "".join(f"{kind.value},2026-11-24T12:00:00Z,1.00\n" for kind in StatementKind)
    rows = parse_statement(f"tipo,data,valor\n{lines}".encode())
    assert [row.kind for row in rows] == list(StatementKind)


def test_a_day_without_movements_has_no_rows() -> None:
    assert parse_statement(b"data,tipo,valor,endToEndId\n") == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "no column"),
        (b"<html>Bad gateway</html>", "no column"),
        (b"tipo,data\nTARIFA,2026-11-24T12:00:00Z\n", "no column for amount"),
        (b"tipo,data,valor\nOUTRO,2026-11-24T12:00:00Z,1.00\n", "line 2"),
        (b"tipo,data,valor\nTARIFA,2026-11-24T12:00:00,1.00\n", "line 2"),
        (b"tipo,data,valor\nTARIFA,ontem,1.00\n", "line 2"),
        (b"tipo,data,valor\nTARIFA,2026-11-24T12:00:00Z,1.001\n", "line 2"),
        (b"tipo,data,valor\nTARIFA,2026-11-24T12:00:00Z,\n", "line 2"),
        (b"tipo,data,valor\nTARIFA,2026-11-24T12:00:00Z,1.00\nTARIFA,2026\n", "line 3"),
        (b'tipo,data,valor\n"TARIFA,2026-11-24T12:00:00Z,1.00\n', "unreadable"),
        (b"\xff\xfe", "unreadable"),
    ],
)
def test_a_file_that_makes_no_sense_tells_nothing(text: bytes, why: str) -> None:
    with pytest.raises(EfiUnknown, match=why):
        parse_statement(text)


def test_what_is_wrong_is_told_without_the_line_itself() -> None:
    with pytest.raises(EfiUnknown) as unreadable:
        parse_statement(b"tipo,data,valor\nmaria@example.com,52998224725,x\n")
    assert "maria" not in str(unreadable.value)
    assert "52998224725" not in str(unreadable.value)
