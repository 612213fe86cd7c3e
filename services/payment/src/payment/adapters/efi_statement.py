"""Efí's lists of received and sent Pix, and its report of a day, as movements of our account."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import efi
from contracts.payment import StatementLineKind
from payment.domain.statement import Movement

_KINDS: Final[Mapping[efi.StatementKind, tuple[StatementLineKind, str]]] = {
    efi.StatementKind.PIX_RECEIVED: (StatementLineKind.PIX_RECEIVED, "received"),
    efi.StatementKind.PIX_SENT: (StatementLineKind.PIX_SENT, "sent"),
    efi.StatementKind.REFUND_SENT: (StatementLineKind.REFUND_SENT, "refund"),
    efi.StatementKind.RETURN_RECEIVED: (StatementLineKind.RETURN_RECEIVED, "return"),
    efi.StatementKind.FEE: (StatementLineKind.FEE, "fee"),
}


def received_movements(pix: efi.ReceivedPix) -> Iterator[Movement]:
    """The Pix itself, what Efí kept of it, and what of it was given back."""
    yield Movement(
        line_id=f"received:{pix.e2e_id}",
        kind=StatementLineKind.PIX_RECEIVED,
        amount=pix.amount,
        occurred_at=pix.paid_at,
        e2e_id=pix.e2e_id,
        txid=pix.txid,
    )
    if pix.fee:
        yield Movement(
            line_id=f"fee:{pix.e2e_id}",
            kind=StatementLineKind.FEE,
            amount=-pix.fee,
            occurred_at=pix.paid_at,
            e2e_id=pix.e2e_id,
        )
    for refund in pix.refunds:
        settled_at = refund.settled_at or refund.requested_at
        if refund.status is efi.RefundStatus.DONE and settled_at is not None:
            yield Movement(
                # By the id that is there from the start: the rtrId may come between two looks.
                line_id=f"refund:{pix.e2e_id}:{refund.refund_id}",
                kind=StatementLineKind.REFUND_SENT,
                amount=-refund.amount,
                occurred_at=settled_at,
                e2e_id=pix.e2e_id,
                txid=pix.txid,
                return_id=refund.return_id,
            )


def sent_movements(sent: efi.Send) -> Iterator[Movement]:
    """A transfer that went through, its fee, and what of it came back."""
    settled_at = sent.settled_at or sent.requested_at
    if sent.status is not efi.SendStatus.DONE or settled_at is None:
        return
    yield Movement(
        line_id=f"sent:{sent.id_envio}",
        kind=StatementLineKind.PIX_SENT,
        amount=-sent.amount,
        occurred_at=settled_at,
        e2e_id=sent.e2e_id,
        id_envio=sent.id_envio,
    )
    if sent.fee:
        yield Movement(
            line_id=f"fee:{sent.id_envio}",
            kind=StatementLineKind.FEE,
            amount=-sent.fee,
            occurred_at=settled_at,
            e2e_id=sent.e2e_id,
            id_envio=sent.id_envio,
        )
    for number, returned in enumerate(sent.returns):
        if returned.status is efi.RefundStatus.DONE:
            yield Movement(
                line_id=f"return:{sent.e2e_id or sent.id_envio}:{returned.id or returned.return_id or number}",
                kind=StatementLineKind.RETURN_RECEIVED,
                amount=returned.amount,
                occurred_at=returned.settled_at or settled_at,
                e2e_id=sent.e2e_id,
                id_envio=sent.id_envio,
                return_id=returned.return_id,
            )


def reported_movements(rows: Iterable[efi.StatementRow]) -> Iterator[Movement]:
    """The report's rows; one that names nothing is told apart by its time, amount and place among its equals."""
    seen: Counter[str] = Counter()
    for row in rows:
        kind, word = _KINDS[row.kind]
        name = row.return_id or row.id_envio or row.e2e_id or f"{row.occurred_at.isoformat()}:{row.amount}"
        if row.kind is efi.StatementKind.FEE and row.amount > 0:
            word = "fee_back"
        line_id = f"{word}:{name}"
        seen[line_id] += 1
        yield Movement(
            line_id=line_id if seen[line_id] == 1 else f"{line_id}:{seen[line_id]}",
            kind=kind,
            amount=row.amount,
            occurred_at=row.occurred_at,
            e2e_id=row.e2e_id,
            txid=row.txid,
            id_envio=row.id_envio,
            return_id=row.return_id,
        )
