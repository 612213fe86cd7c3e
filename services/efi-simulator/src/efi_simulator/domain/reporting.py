"""The statement of a day, as a CSV (reference §1.6).

No source shows the columns of Efí's file: these are ours. Only what happened is a line, whatever the bank
says of it meanwhile; a send that was rejected took nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from efi_simulator.domain.bank import Bank
from efi_simulator.domain.documents import horario, valor
from efi_simulator.domain.nouns import RefundStatus, Report, SendStatus, StatementKind
from efi_simulator.domain.refusals import InvalidReport, UnknownReport
from kernel.business_day import business_day

HEADER: Final = ("data", "tipo", "valor", "endToEndId", "txid", "idEnvio", "rtrId")
RECEIVED, SENT = "pixRecebido", "pixEnviadoChave"
REFUND, RETURN = "pixDevolucaoEnviada", "pixDevolucaoRecebida"
RECEIVE_FEE, SEND_FEE = "tarifaPixRecebido", "tarifaPixEnviado"
KINDS: Final[Mapping[str, StatementKind]] = {
    RECEIVED: StatementKind.PIX_RECEIVED,
    SENT: StatementKind.PIX_SENT,
    REFUND: StatementKind.REFUND_SENT,
    RETURN: StatementKind.RETURN_RECEIVED,
    RECEIVE_FEE: StatementKind.FEE,
    SEND_FEE: StatementKind.FEE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`record` is Efí's name for what may be asked for; `amount` is negative for what went out."""

    at: datetime
    record: str
    amount: Decimal
    e2e_id: str
    txid: str = ""
    id_envio: str = ""
    return_id: str = ""


def order_report(bank: Bank, *, day: date, records: tuple[str, ...], now: datetime) -> Report:
    """InvalidReport for a day that is not over in São Paulo."""
    if day >= business_day(now) and not bank.rules.open_days:
        raise InvalidReport
    report = Report(
        id=str(bank.numbers.next()), day=day, records=records, ready_at=now + bank.rules.report_after
    )
    bank.reports[report.id] = report
    return report


def report_of(bank: Bank, *, report_id: str) -> Report:
    if report_id not in bank.reports:
        raise UnknownReport
    return bank.reports[report_id]


def csv_of(bank: Bank, report: Report) -> str:
    """The file, by time. Nothing in it needs quotes: ids are letters and digits."""
    lines = sorted(_lines(bank), key=lambda one: (one.at, one.record, one.e2e_id, one.return_id))
    rows = [
        _cells(line)
        for line in lines
        if business_day(line.at) == report.day and line.record in report.records
    ]
    return "".join(f"{','.join(row)}\n" for row in (HEADER, *rows))


def _cells(line: Line) -> tuple[str, ...]:
    kind, amount = KINDS[line.record].value, valor(line.amount)
    return horario(line.at), kind, amount, line.e2e_id, line.txid, line.id_envio, line.return_id


def _lines(bank: Bank) -> Iterator[Line]:
    yield from _received(bank)
    yield from _refunds(bank)
    yield from _sends(bank)


def _received(bank: Bank) -> Iterator[Line]:
    for one in bank.received.values():
        txid = one.txid or ""
        yield Line(at=one.received_at, record=RECEIVED, amount=one.amount, e2e_id=one.e2e_id, txid=txid)
        if one.fee:
            yield Line(at=one.received_at, record=RECEIVE_FEE, amount=-one.fee, e2e_id=one.e2e_id, txid=txid)


def _refunds(bank: Bank) -> Iterator[Line]:
    for one in bank.refunds.values():
        if one.status is RefundStatus.DONE and one.settled_at:
            yield Line(
                at=one.settled_at,
                record=REFUND,
                amount=-one.amount,
                e2e_id=one.e2e_id,
                txid=bank.received[one.e2e_id].txid or "",
                return_id=one.return_id,
            )


def _sends(bank: Bank) -> Iterator[Line]:
    for one in bank.sends.values():
        if one.status is not SendStatus.DONE or one.settled_at is None:
            continue
        ids = {"e2e_id": one.e2e_id, "id_envio": one.id_envio}
        yield Line(at=one.settled_at, record=SENT, amount=-one.amount, **ids)
        if one.fee:
            yield Line(at=one.settled_at, record=SEND_FEE, amount=-one.fee, **ids)
        for back in one.returns:
            yield Line(
                at=back.returned_at, record=RETURN, amount=back.amount, return_id=back.return_id, **ids
            )
