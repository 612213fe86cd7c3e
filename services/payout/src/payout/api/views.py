"""Payouts as drivers and admins see them. Bank details are masked, always."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from contracts.base import Money
from payout.domain.contradiction import Contradiction
from payout.domain.history import Attempt, History
from payout.domain.payout import Payout
from payout.domain.returns import KnownReturn
from payout.domain.send import Outcome
from payout.domain.step import Status, Step
from web import Body, MoneyIn, View


class PayoutRequest(Body):
    """How much to pay out, in BRL."""

    amount: MoneyIn


class BankDetailsView(View):
    """Where the money goes, masked."""

    pix_key: str
    pix_key_type: str
    cpf: str


class PayoutView(View):
    """`failure_reason` is a code, `provider_transaction_id` the endToEndId, `returned` what came back."""

    id: UUID
    driver_id: UUID
    amount: Money
    status: Status
    payout_method: str
    bank_details: BankDetailsView | None
    provider: str
    provider_transaction_id: str | None
    created_at: datetime
    completed_at: datetime | None
    failed_at: datetime | None
    failure_reason: str | None
    returned: Money

    @classmethod
    def of(cls, payout: Payout) -> Self:
        return cls(**shown(payout))


class AdminPayoutView(PayoutView):
    """And what the platform's people see: `step` says how far it is, `asked_at` since when the bank is asked."""

    step: Step
    held: bool
    id_envio: str | None
    fee: Money
    asked_at: datetime | None

    @classmethod
    def of(cls, payout: Payout) -> Self:
        return cls(
            **shown(payout),
            step=payout.step,
            held=payout.held,
            id_envio=payout.id_envio,
            fee=payout.fee,
            asked_at=payout.asked_at,
        )


class AttemptView(View):
    """One call to the bank; `outcome` is null when its answer never came, `code` is the bank's refusal."""

    id: UUID
    id_envio: str
    started_at: datetime
    finished_at: datetime | None
    outcome: Outcome | None
    code: str | None
    in_doubt: bool

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        return cls(
            id=attempt.id,
            id_envio=attempt.id_envio,
            started_at=attempt.started_at,
            finished_at=attempt.finished_at,
            outcome=attempt.outcome,
            code=attempt.code,
            in_doubt=attempt.in_doubt,
        )


class ReturnView(View):
    """What came back."""

    return_id: str
    amount: Money

    @classmethod
    def of(cls, one: KnownReturn) -> Self:
        return cls(return_id=one.return_id, amount=one.amount)


class ContradictionView(View):
    """What the bank said that cannot be."""

    known: str
    reported: str
    detail: str

    @classmethod
    def of(cls, found: Contradiction) -> Self:
        return cls(known=found.known, reported=found.reported, detail=found.detail)


class HistoryView(AdminPayoutView):
    """One payout with all that was tried and heard, oldest first."""

    attempts: list[AttemptView]
    returns: list[ReturnView]
    contradictions: list[ContradictionView]

    @classmethod
    def of_history(cls, history: History) -> Self:
        seen = AdminPayoutView.of(history.payout)
        return cls(
            **{name: getattr(seen, name) for name in AdminPayoutView.model_fields},
            attempts=[AttemptView.of(one) for one in history.attempts],
            returns=[ReturnView.of(one) for one in history.returns],
            contradictions=[ContradictionView.of(one) for one in history.contradictions],
        )


def shown(payout: Payout) -> dict[str, Any]:
    """What everybody sees of a payout who may see it."""
    snapshot = payout.snapshot
    return {
        "id": payout.id,
        "driver_id": payout.driver_id,
        "amount": payout.amount,
        "status": payout.status,
        "payout_method": payout.payout_method,
        "bank_details": BankDetailsView.model_validate(snapshot.masked) if snapshot else None,
        "provider": payout.provider,
        "provider_transaction_id": payout.provider_transaction_id,
        "created_at": payout.created_at,
        "completed_at": payout.completed_at,
        "failed_at": payout.failed_at,
        "failure_reason": payout.failure_reason,
        "returned": payout.returned,
    }
