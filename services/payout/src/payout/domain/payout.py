"""A payout from request to the bank's last word."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from contracts.payout import (
    PayoutCompleted,
    PayoutFailed,
    PayoutReady,
    PayoutRequested,
    PayoutReturned,
    PayoutSent,
)
from kernel.money import ZERO
from kernel.refusals import FieldError, Invalid, Refusal
from payout.domain.bank_details import Snapshot
from payout.domain.send import SendReport, SendReturn


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
    Step.HELD: frozenset({Step.SENDING}),
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
    REJECTED_BY_BANK = "rejected_by_bank"


class IllegalTransition(Refusal):
    """The payout is not in a state from which this is possible."""

    code = "illegal_transition"
    pt = "O repasse não permite esta operação agora."
    en = "The payout does not allow this now."


class InsufficientBalance(Refusal):
    """More than the balance that we know of, less what is already asked for."""

    code = "insufficient_balance"
    status = 422
    pt = "Saldo insuficiente para este repasse."
    en = "The balance does not cover this payout."


class BelowMinimum(Invalid):
    """Less than the smallest payout."""

    code = "amount_below_minimum"
    pt = "O valor é menor que o mínimo para repasse."
    en = "The amount is below the smallest payout."

    def __init__(self, minimum: Decimal) -> None:
        error = FieldError(pointer="/amount", code=self.code, detail=f">= {minimum}")
        super().__init__(f">= {minimum}", errors=[error])


class AnotherSend(Refusal):
    """The bank knows the idEnvio with another amount than ours: someone must look."""

    code = "another_send"
    pt = "O banco conhece este envio com outro valor."
    en = "The bank knows this send with another amount."


class TooMuchReturned(Refusal):
    """More came back than was sent: someone must look."""

    code = "too_much_returned"
    pt = "Voltou mais do que foi enviado."
    en = "More came back than was sent."


def id_envio_of(payout_id: UUID) -> str:
    """The bank's idempotency key of a payout: 32 of at most 35 letters and digits, derived once."""
    return payout_id.hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """One payout. `held` says whether the ledger holds (or held) the amount for it.

    `held_version` is the version of the driver's balance that includes the hold; `asked_at` when the bank was
    first given the send; `provider_transaction_id` its endToEndId; `returned` what came back so far.
    """

    id: UUID
    driver_id: UUID
    amount: Decimal
    created_at: datetime
    step: Step = Step.REQUESTED
    version: int = 1
    payout_method: str = "pix"
    provider: str = "efi"
    snapshot: Snapshot | None = None
    held: bool = False
    held_version: int | None = None
    id_envio: str | None = None
    provider_transaction_id: str | None = None
    provider_response: Mapping[str, Any] = field(default_factory=dict)
    fee: Decimal = ZERO
    returned: Decimal = ZERO
    asked_at: datetime | None = None
    completed_at: datetime | None = None
    failed_at: datetime | None = None
    failure_reason: str | None = None

    @property
    def status(self) -> Status:
        return STATUS_OF[self.step]

    @classmethod
    def request(
        cls, *, payout_id: UUID, driver_id: UUID, amount: Decimal, minimum: Decimal, now: datetime
    ) -> tuple[Self, PayoutRequested]:
        """A new payout; BelowMinimum for less than `minimum`."""
        if amount < minimum:
            raise BelowMinimum(minimum)
        made = cls(id=payout_id, driver_id=driver_id, amount=amount, created_at=now)
        return made, PayoutRequested(
            driver_id=driver_id, payout_id=payout_id, amount=amount, requested_at=now
        )

    def prepare(self, snapshot: Snapshot, *, now: datetime) -> tuple[Self, PayoutReady]:
        """The bank details are taken; the ledger may decide."""
        ready = self._move(Step.READY, snapshot=snapshot)
        return ready, PayoutReady(
            driver_id=self.driver_id, payout_id=self.id, amount=self.amount, ready_at=now
        )

    def hold(self, *, balance_version: int) -> Self:
        """The ledger holds the amount."""
        return self._move(Step.HELD, held=True, held_version=balance_version)

    def start_sending(self, *, now: datetime) -> Self:
        """The send is about to be made, always under the same idEnvio."""
        return self._move(
            Step.SENDING, id_envio=self.id_envio or id_envio_of(self.id), asked_at=self.asked_at or now
        )

    def accept(self, report: SendReport, *, now: datetime) -> tuple[Self, PayoutSent]:
        """The bank has the send and works on it."""
        sent = self._move(Step.SENT, **self._heard(report))
        return sent, PayoutSent(
            driver_id=self.driver_id,
            payout_id=self.id,
            amount=self.amount,
            id_envio=sent.sent_as,
            sent_at=now,
        )

    def recognize(self, report: SendReport) -> None:
        """AnotherSend when the bank speaks of another send than ours."""
        if report.amount not in (None, self.amount):
            raise AnotherSend(f"payout {self.id}: {report.amount} instead of {self.amount}")

    def lose_track(self) -> Self:
        """Nobody knows whether the bank has the send. Only its own word ends this, never time."""
        return self._move(Step.UNKNOWN)

    def complete(self, report: SendReport, *, now: datetime) -> tuple[Self, PayoutCompleted]:
        """The money reached the driver."""
        done = self._move(Step.COMPLETED, completed_at=now, fee=report.fee, **self._heard(report))
        return done, PayoutCompleted(
            driver_id=self.driver_id,
            payout_id=self.id,
            amount=self.amount,
            id_envio=done.sent_as,
            e2e_id=done.provider_transaction_id or done.sent_as,
            fee=report.fee,
            completed_at=now,
        )

    def fail(
        self, reason: FailureReason, *, now: datetime, heard: Mapping[str, Any] | None = None
    ) -> tuple[Self, PayoutFailed]:
        """It will not happen: the ledger gives back what it holds."""
        failed = self._move(
            Step.FAILED,
            failed_at=now,
            failure_reason=reason.value,
            provider_response=heard or self.provider_response,
        )
        return failed, PayoutFailed(
            driver_id=self.driver_id,
            payout_id=self.id,
            amount=self.amount,
            reason=reason.value,
            held=self.held,
            failed_at=now,
        )

    def give_back(self, one: SendReturn, *, now: datetime) -> tuple[Self, PayoutReturned]:
        """A completed payout came back, whole or in part; TooMuchReturned beyond its amount."""
        total = self.returned + one.amount
        if total > self.amount:
            raise TooMuchReturned(f"payout {self.id}: {total} of {self.amount}")
        returned = self._move(Step.RETURNED, returned=total)
        return returned, PayoutReturned(
            driver_id=self.driver_id,
            payout_id=self.id,
            amount=one.amount,
            payout_amount=self.amount,
            returned_total=total,
            return_id=one.return_id,
            returned_at=now,
        )

    @property
    def sent_as(self) -> str:
        """The idEnvio, once there is one."""
        assert self.id_envio is not None, "the send was never started"
        return self.id_envio

    def _heard(self, report: SendReport) -> dict[str, Any]:
        return {
            "provider_transaction_id": report.e2e_id or self.provider_transaction_id,
            "provider_response": report.shown(),
        }

    def _move(self, to: Step, **changes: Any) -> Self:
        if to not in MOVES[self.step]:
            raise IllegalTransition(f"payout {self.id} cannot go from {self.step} to {to}")
        return replace(self, step=to, version=self.version + 1, **changes)
