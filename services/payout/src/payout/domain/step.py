"""Where a payout stands, and what may follow."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """What the driver sees."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    RETURNED = "RETURNED"


class Step(StrEnum):
    """How far we are, within the status. UNKNOWN: the bank may or may not have the send."""

    REQUESTED = "REQUESTED"
    READY = "READY"
    HELD = "HELD"
    SENDING = "SENDING"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    RETURNED = "RETURNED"


STATUS_OF: Final[Mapping[Step, Status]] = {
    Step.REQUESTED: Status.PENDING,
    Step.READY: Status.PENDING,
    Step.HELD: Status.PENDING,
    Step.SENDING: Status.PROCESSING,
    Step.SENT: Status.PROCESSING,
    Step.UNKNOWN: Status.PROCESSING,
    Step.COMPLETED: Status.COMPLETED,
    Step.FAILED: Status.FAILED,
    Step.RETURNED: Status.RETURNED,
}

MOVES: Final[Mapping[Step, frozenset[Step]]] = {
    Step.REQUESTED: frozenset({Step.READY, Step.FAILED}),
    Step.READY: frozenset({Step.HELD, Step.FAILED}),
    Step.HELD: frozenset({Step.SENDING, Step.FAILED}),
    Step.SENDING: frozenset({Step.SENDING, Step.SENT, Step.UNKNOWN, Step.COMPLETED, Step.FAILED}),
    Step.UNKNOWN: frozenset({Step.SENDING, Step.SENT, Step.UNKNOWN, Step.COMPLETED, Step.FAILED}),
    Step.SENT: frozenset({Step.COMPLETED, Step.FAILED}),
    Step.COMPLETED: frozenset({Step.RETURNED}),
    Step.RETURNED: frozenset({Step.RETURNED}),
    Step.FAILED: frozenset(),
}

IN_FLIGHT: Final = frozenset({Step.SENDING, Step.SENT, Step.UNKNOWN})
SENT_ONCE: Final = frozenset({Step.COMPLETED, Step.RETURNED})

STATUS_MOVES: Final[Mapping[Status, frozenset[Status]]] = {
    status: frozenset(
        STATUS_OF[to]
        for step, targets in MOVES.items()
        for to in targets
        if STATUS_OF[step] is status and STATUS_OF[to] is not status
    )
    for status in Status
}


class FailureReason(StrEnum):
    """Why a payout failed, as the driver's app knows it."""

    INSUFFICIENT_BALANCE = "insufficient_balance"
    NO_PIX_KEY = "no_pix_key"
    ACCOUNT_NOT_ACTIVE = "account_not_active"
    PIX_KEY_COOLING_DOWN = "pix_key_cooling_down"
    PIX_KEY_NOT_OWNED = "pix_key_not_owned"
    REJECTED_BY_BANK = "rejected_by_bank"


_BY_IDENTITY: Final = frozenset(
    {FailureReason.NO_PIX_KEY, FailureReason.ACCOUNT_NOT_ACTIVE, FailureReason.PIX_KEY_COOLING_DOWN}
)
_BY_THE_BANK: Final = frozenset({FailureReason.PIX_KEY_NOT_OWNED, FailureReason.REJECTED_BY_BANK})

# Each step can be failed only by who has the say at it. Once a send was begun that is the bank alone.
FAILS_BY: Final[Mapping[Step, frozenset[FailureReason]]] = {
    Step.REQUESTED: _BY_IDENTITY,
    Step.READY: frozenset({FailureReason.INSUFFICIENT_BALANCE}),
    Step.HELD: frozenset({FailureReason.ACCOUNT_NOT_ACTIVE}),
    Step.SENDING: _BY_THE_BANK,
    Step.SENT: _BY_THE_BANK,
    Step.UNKNOWN: _BY_THE_BANK,
    Step.COMPLETED: frozenset(),
    Step.FAILED: frozenset(),
    Step.RETURNED: frozenset(),
}


def reason_of(code: str | None) -> FailureReason:
    """What the bank's name for a refusal means to the driver."""
    if code == "chave_nao_pertence_ao_documento":
        return FailureReason.PIX_KEY_NOT_OWNED
    return FailureReason.REJECTED_BY_BANK
