"""Matching Efí's statement against the bank account's entries. Differences open cases; nothing is edited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from contracts.payment import StatementLine, StatementLineKind
from kernel.money import ZERO
from ledger.domain.payout import COMPLETED, PAYOUT_FEE, RETURNED
from ledger.domain.refund import REFUNDED
from ledger.domain.settlement import CONFIRMED, MISMATCH, PAYMENT_FEE

EVENTS_OF_KIND: Final[Mapping[StatementLineKind, tuple[str, ...]]] = {
    StatementLineKind.PIX_RECEIVED: (CONFIRMED, MISMATCH),
    StatementLineKind.PIX_SENT: (COMPLETED,),
    StatementLineKind.REFUND_SENT: (REFUNDED,),
    StatementLineKind.RETURN_RECEIVED: (RETURNED,),
    StatementLineKind.FEE: (PAYMENT_FEE, PAYOUT_FEE),
}


class CaseKind(StrEnum):
    """Why someone must look."""

    MISSING_IN_LEDGER = "missing_in_ledger"
    AMOUNT_DIFFERS = "amount_differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What does not match, in words that hold no personal data."""

    kind: CaseKind
    detail: str


def compare(line: StatementLine, *, posted: Sequence[Decimal]) -> Difference | None:
    """None when `line` matches one posted bank movement (signed), or all of them together."""
    if line.amount in posted or (posted and line.amount == sum(posted, ZERO)):
        return None
    if not posted:
        return Difference(
            kind=CaseKind.MISSING_IN_LEDGER,
            detail=f"Efí reports {line.kind.value} of {line.amount} on {line.day}; nothing is posted for it",
        )
    return Difference(
        kind=CaseKind.AMOUNT_DIFFERS,
        detail=f"Efí reports {line.kind.value} of {line.amount} on {line.day}; posted: {sum(posted, ZERO)}",
    )


def reference_of(line: StatementLine) -> str:
    """What the line is known by: e2eId, else idEnvio, else txid, else its own id."""
    return line.e2e_id or line.id_envio or line.txid or line.line_id
