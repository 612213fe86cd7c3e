"""What payment answers."""

from datetime import datetime
from typing import Self
from uuid import UUID

from contracts.base import Money
from payment.domain.charge import Charge, ChargeStatus
from payment.domain.intent import Intent, IntentStatus
from payment.domain.refund import Refund, RefundStatus
from web import Body, MoneyIn, View


class IntentRequest(Body):
    ride_id: UUID


class RefundRequest(Body):
    amount: MoneyIn
    reason: str


class PixView(View):
    """`qr_code` is a PNG as a data URI. The codes are the passenger's alone."""

    txid: str
    e2e_id: str | None
    status: ChargeStatus
    qr_code: str | None
    pix_copy_paste: str | None
    expires_at: datetime
    paid_at: datetime | None

    @classmethod
    def of(cls, charge: Charge, *, codes: bool) -> Self:
        return cls(
            txid=charge.txid,
            e2e_id=charge.e2e_id,
            status=charge.status,
            qr_code=charge.qr_code if codes else None,
            pix_copy_paste=charge.pix_copy_paste if codes else None,
            expires_at=charge.expires_at,
            paid_at=charge.paid_at,
        )


class PaymentView(View):
    """`pix` is null until Efí has answered."""

    id: UUID
    ride_id: UUID
    amount: Money
    status: IntentStatus
    payment_method: str
    created_at: datetime
    confirmed_at: datetime | None
    expires_at: datetime
    pix: PixView | None

    @classmethod
    def of(cls, intent: Intent, charge: Charge, *, codes: bool) -> Self:
        return cls(
            id=intent.id,
            ride_id=intent.ride_id,
            amount=intent.amount,
            status=intent.status,
            payment_method=intent.payment_method,
            created_at=intent.created_at,
            confirmed_at=intent.confirmed_at,
            expires_at=intent.expires_at,
            pix=PixView.of(charge, codes=codes) if charge.submitted else None,
        )


class RefundView(View):
    id: UUID
    status: RefundStatus
    amount: Money

    @classmethod
    def of(cls, refund: Refund) -> Self:
        return cls(id=refund.id, status=refund.status, amount=refund.amount)
