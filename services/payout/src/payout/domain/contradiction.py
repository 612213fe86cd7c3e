"""What the bank cannot have meant: someone must look, and until then nothing moves."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from contracts.payout import PayoutContradicted
from payout.domain.payout import Payout
from payout.domain.send import SendReport, SendState
from payout.domain.step import SENT_ONCE, Step

BANKS_WORD: Final = {
    SendState.PROCESSING: "EM_PROCESSAMENTO",
    SendState.DONE: "REALIZADO",
    SendState.REJECTED: "NAO_REALIZADO",
}
RETURNED: Final = "DEVOLVIDO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """`known` is our status, `reported` the bank's word; a payout and a word are told of once."""

    known: str
    reported: str
    detail: str

    def fact(self, payout: Payout, *, now: datetime) -> PayoutContradicted:
        """For the ledger, which opens a case."""
        return PayoutContradicted(
            driver_id=payout.driver_id,
            payout_id=payout.id,
            amount=payout.amount,
            id_envio=payout.sent_as,
            known=self.known,
            reported=self.reported,
            detail=self.detail,
            found_at=now,
        )


def contradiction_in(payout: Payout, report: SendReport) -> Contradiction | None:
    """What of `report` cannot be true of `payout` as it stands.

    Another amount under our idEnvio; a send that lives while its payout failed (the hold was given back);
    a rejection after we were told that it was done. A done send that reads as in process is an old reading.
    """
    if report.amount not in (None, payout.amount):
        detail = f"another_amount: {report.amount} instead of {payout.amount}"
    elif payout.step is Step.FAILED and report.state is not SendState.REJECTED:
        detail = f"sent_after_failure: {payout.failure_reason}"
    elif payout.step in SENT_ONCE and report.state is SendState.REJECTED:
        detail = "rejected_after_completion"
    else:
        return None
    return Contradiction(known=payout.status.value, reported=BANKS_WORD[report.state], detail=detail)


def too_much_returned(payout: Payout, *, return_id: str, amount: Decimal) -> Contradiction:
    """More came back than was sent; what is beyond the amount is left to a person."""
    detail = f"too_much_returned: {amount} ({return_id}) after {payout.returned} of {payout.amount}"
    return Contradiction(known=payout.status.value, reported=RETURNED, detail=detail)
