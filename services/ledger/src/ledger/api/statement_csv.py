"""A driver's statement as CSV, for a spreadsheet in the reader's language.

Portuguese: semicolons and decimal commas, as spreadsheets expect in Brazil; English: commas and decimal points.
No text begins with a character that a spreadsheet takes for a formula (OWASP, CSV Injection).
"""

import csv
from datetime import datetime
from decimal import Decimal
from io import StringIO
from typing import Final

from kernel.business_day import SAO_PAULO
from ledger.domain.driver_statement import DriverStatement, Money, StatementRow

PORTUGUESE: Final = "pt-BR"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_HEADERS: Final = {
    PORTUGUESE: (
        "data",
        "ocorrido em",
        "lançamento",
        "descrição",
        "referência",
        "disponível (movimento)",
        "em trânsito (movimento)",
        "devido (movimento)",
        "disponível",
        "em trânsito",
        "total",
        "devido",
    ),
    "en": (
        "date",
        "occurred at",
        "transaction",
        "description",
        "reference",
        "available (change)",
        "on hold (change)",
        "receivable (change)",
        "available",
        "on hold",
        "total",
        "receivable",
    ),
}
_OPENING: Final = {PORTUGUESE: "Saldo anterior", "en": "Opening balance"}
_CLOSING: Final = {PORTUGUESE: "Saldo final", "en": "Closing balance"}


def statement_csv(found: DriverStatement, *, language: str) -> str:
    """A header, the opening balance, a row a posting, the closing balance; lines end in CR LF."""
    text = StringIO()
    portuguese = language == PORTUGUESE
    writer = csv.writer(text, delimiter=";" if portuguese else ",", lineterminator="\r\n")
    writer.writerow(_HEADERS[language])
    writer.writerow(_edge(found.first.isoformat(), _OPENING[language], found.opening, portuguese=portuguese))
    writer.writerows(_row(row, portuguese=portuguese) for row in found.rows)
    writer.writerow(_edge(found.last.isoformat(), _CLOSING[language], found.closing, portuguese=portuguese))
    return text.getvalue()


def _edge(day: str, name: str, balance: Money, *, portuguese: bool) -> list[str]:
    return [day, "", "", name, "", "", "", "", *_balance(balance, portuguese=portuguese)]


def _row(row: StatementRow, *, portuguese: bool) -> list[str]:
    posting = row.posting
    changes = (posting.change.available, posting.change.on_hold, posting.change.receivable)
    return [
        posting.posted_on.isoformat(),
        _local(posting.occurred_at),
        _plain(posting.transaction_id),
        _plain(posting.description),
        _plain(posting.reference or ""),
        *(_amount(change, portuguese=portuguese) for change in changes),
        *_balance(row.balance, portuguese=portuguese),
    ]


def _balance(balance: Money, *, portuguese: bool) -> list[str]:
    parts = (balance.available, balance.on_hold, balance.total, balance.receivable)
    return [_amount(part, portuguese=portuguese) for part in parts]


def _amount(amount: Decimal, *, portuguese: bool) -> str:
    text = f"{amount:.2f}"
    return text.replace(".", ",") if portuguese else text


def _local(at: datetime) -> str:
    return at.astimezone(SAO_PAULO).strftime("%Y-%m-%d %H:%M:%S")


def _plain(text: str) -> str:
    """Texts come from people too: an apostrophe keeps a spreadsheet from reading one as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
