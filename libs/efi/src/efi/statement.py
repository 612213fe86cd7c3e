"""Reading the statement's CSV.

No source shows Efí's own columns: the file is read by the names in its first line, in any order, with "," or
";" between and either decimal mark, and every line must make sense. ADR 0028 says what to check with Efí.
"""

import csv
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from io import StringIO
from typing import Final

from pydantic import TypeAdapter, ValidationError

from contracts.base import Time
from efi.errors import EfiUnknown
from efi.models import StatementKind, StatementRow
from kernel.money import NotMoney, money

NAMES: Final = {
    "kind": ("tipo", "tipodemovimento", "tiporegistro", "lancamento"),
    "occurred_at": ("data", "horario", "datahora", "datamovimento"),
    "amount": ("valor", "valorlancamento"),
    "e2e_id": ("endtoendid", "e2eid", "idendtoend"),
    "txid": ("txid",),
    "id_envio": ("idenvio",),
    "return_id": ("rtrid", "iddevolucao"),
}
REQUIRED: Final = ("kind", "occurred_at", "amount")
BRAZILIAN: Final = re.compile(r"-?\d{1,3}(\.\d{3})*,\d{2}|-?\d+,\d{2}", re.ASCII)
TIME: Final = TypeAdapter[datetime](Time)


def parse_statement(content: bytes) -> tuple[StatementRow, ...]:
    """The rows of the file, in its order; EfiUnknown for anything that does not make sense."""
    try:
        return tuple(_rows(content.decode("utf-8-sig")))
    except (ValueError, csv.Error) as error:
        raise EfiUnknown(f"unreadable statement: {error}") from None


def _rows(text: str) -> list[StatementRow]:
    first, _, _ = text.partition("\n")
    reader = csv.reader(StringIO(text), delimiter=";" if ";" in first else ",", strict=True)
    columns = _columns(next(reader, []))
    return [_row(line, columns=columns, number=number) for number, line in enumerate(reader, 2) if line]


def _columns(header: list[str]) -> dict[str, int]:
    """Where each of our fields stands."""
    places = {_plain(title): place for place, title in enumerate(header)}
    found = {
        field: next((places[name] for name in names if name in places), None)
        for field, names in NAMES.items()
    }
    columns = {field: place for field, place in found.items() if place is not None}
    missing = [field for field in REQUIRED if field not in columns]
    if missing:
        raise ValueError(f"no column for {', '.join(missing)}")
    return columns


def _row(line: list[str], *, columns: Mapping[str, int], number: int) -> StatementRow:
    try:
        told = {field: line[place].strip() for field, place in columns.items()}
        return StatementRow(
            kind=StatementKind(told["kind"]),
            amount=_amount(told["amount"]),
            occurred_at=TIME.validate_python(told["occurred_at"]),
            e2e_id=told.get("e2e_id") or None,
            txid=told.get("txid") or None,
            id_envio=told.get("id_envio") or None,
            return_id=told.get("return_id") or None,
        )
    except (IndexError, NotMoney, ValidationError, ValueError):
        # The line itself may hold personal data.
        raise ValueError(f"line {number}") from None


def _amount(text: str) -> Decimal:
    if BRAZILIAN.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    return money(text)


def _plain(title: str) -> str:
    """`title` in lower case, without accents and anything but letters and digits."""
    bare = unicodedata.normalize("NFKD", title).lower()
    return "".join(letter for letter in bare if letter.isascii() and letter.isalnum())
