"""What payment answers."""

from datetime import date, datetime
from typing import Self
from uuid import UUID

from contracts.base import Money
from contracts.payment import MismatchKind
from payment.domain.booked import BookedPix
from payment.domain.charge import Charge, ChargeStatus
from payment.domain.intent import Intent, IntentStatus
from payment.domain.refund import Refund, RefundOrigin, RefundStatus, RefundTarget
from payment.domain.statement import Statement
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


class RefundDetailView(RefundView):
    """`target`: the fare that was paid, or money that was held; `origin`: an admin, our rule, or outside of Ibora."""

    e2e_id: str
    target: RefundTarget
    origin: RefundOrigin
    reason: str
    requested_by: UUID | None
    return_id: str | None
    failure_reason: str | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, refund: Refund) -> Self:
        return cls(
            id=refund.id,
            status=refund.status,
            amount=refund.amount,
            e2e_id=refund.e2e_id,
            target=refund.target,
            origin=refund.origin,
            reason=refund.reason,
            requested_by=refund.requested_by,
            return_id=refund.return_id,
            failure_reason=refund.failure_reason,
            created_at=refund.created_at,
            finished_at=refund.finished_at,
        )


class RefundsView(View):
    """All refunds of one payment, oldest first: they are few."""

    data: list[RefundDetailView]


class ReceivedPixView(View):
    """`held` of the amount paid no fare: a passenger's credit, or in suspense without a `passenger_id`."""

    e2e_id: str
    txid: str | None
    amount: Money
    fee: Money
    held: Money
    mismatch: MismatchKind | None
    payment_id: UUID | None
    ride_id: UUID | None
    passenger_id: UUID | None
    paid_at: datetime

    @classmethod
    def of(cls, booked: BookedPix) -> Self:
        return cls(
            e2e_id=booked.e2e_id,
            txid=booked.txid,
            amount=booked.amount,
            fee=booked.fee,
            held=booked.held,
            mismatch=booked.mismatch,
            payment_id=booked.intent_id,
            ride_id=booked.ride_id,
            passenger_id=booked.passenger_id,
            paid_at=booked.paid_at,
        )


class StatementRequest(Body):
    """A São Paulo day."""

    day: date


class StatementView(View):
    """What was published. `complete` is false for a day that is not over: its own statement still comes."""

    day: date
    lines: int
    came_in: Money
    went_out: Money
    complete: bool

    @classmethod
    def of(cls, statement: Statement, *, complete: bool) -> Self:
        return cls(
            day=statement.day,
            lines=len(statement.lines),
            came_in=statement.came_in,
            went_out=statement.went_out,
            complete=complete,
        )
