"""A payout from request to the bank's last word."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
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
from kernel.refusals import Refusal
from payout.domain.bank_details import Snapshot
from payout.domain.send import SendReport
from payout.domain.step import FAILS_BY, MOVES, STATUS_OF, FailureReason, Status, Step


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
        cls, *, payout_id: UUID, driver_id: UUID, amount: Decimal, now: datetime
    ) -> tuple[Self, PayoutRequested]:
        """A new payout."""
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
        """It will not happen: the ledger gives back what it holds.

        IllegalTransition unless `reason` is one of those who have the say at this step.
        """
        if reason not in FAILS_BY[self.step]:
            raise IllegalTransition(f"payout {self.id} is not failed at {self.step} by {reason}")
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

    def may_give_back(self, amount: Decimal) -> bool:
        """Whether no more would have come back than was sent."""
        return self.returned + amount <= self.amount

    def give_back(self, *, return_id: str, amount: Decimal, now: datetime) -> tuple[Self, PayoutReturned]:
        """A completed payout came back, whole or in part; never more than its amount."""
        assert self.may_give_back(amount), f"{amount} more than what is left of payout {self.id}"
        total = self.returned + amount
        returned = self._move(Step.RETURNED, returned=total)
        return returned, PayoutReturned(
            driver_id=self.driver_id,
            payout_id=self.id,
            amount=amount,
            payout_amount=self.amount,
            returned_total=total,
            return_id=return_id,
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
