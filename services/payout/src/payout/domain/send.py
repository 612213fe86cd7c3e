"""What the bank says of a Pix that we sent, and what can go wrong when we ask."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from kernel.money import ZERO


class SendState(StrEnum):
    """`DONE` and `REJECTED` are the bank's verdicts; a done send may still come back in parts."""

    PROCESSING = "processing"
    DONE = "done"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReturn:
    """Money of a done send that came back. `return_id` is the bank's (rtrId), unique; None if it tells none."""

    return_id: str | None
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReport:
    """The bank's own answer about one idEnvio. `amount` is what it says it sends, None if it does not say."""

    state: SendState
    amount: Decimal | None = None
    e2e_id: str | None = None
    fee: Decimal = ZERO
    error_code: str | None = None
    returns: tuple[SendReturn, ...] = ()

    def shown(self) -> dict[str, str]:
        """What is kept of the answer: no key, no document."""
        kept = {"status": self.state.value, "e2e_id": self.e2e_id, "error_code": self.error_code}
        return {name: value for name, value in kept.items() if value is not None}


class SendProblem(Exception):
    """Base of what asking the bank can end in besides an answer."""


class SendRefused(SendProblem):
    """A definitive no: nothing happened and nothing will. `code` is the bank's name for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SendUnclear(SendProblem):
    """It may have happened: only the bank's own query decides."""


class SendNotMade(SendProblem):
    """The request never got there: nothing happened, the same may be tried again, after `wait_s` if it says."""

    def __init__(self, detail: str = "", *, wait_s: float | None = None) -> None:
        super().__init__(detail)
        self.wait_s = wait_s


class Outcome(StrEnum):
    """How one attempt to send ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    NOT_MADE = "not_made"
