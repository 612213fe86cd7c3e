"""Payouts as drivers and admins see them. Bank details are masked, always."""

from datetime import datetime
from typing import Self
from uuid import UUID

from contracts.base import Money
from payout.domain.payout import Payout, Status
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
        snapshot = payout.snapshot
        return cls(
            id=payout.id,
            driver_id=payout.driver_id,
            amount=payout.amount,
            status=payout.status,
            payout_method=payout.payout_method,
            bank_details=BankDetailsView.model_validate(snapshot.masked) if snapshot else None,
            provider=payout.provider,
            provider_transaction_id=payout.provider_transaction_id,
            created_at=payout.created_at,
            completed_at=payout.completed_at,
            failed_at=payout.failed_at,
            failure_reason=payout.failure_reason,
            returned=payout.returned,
        )
