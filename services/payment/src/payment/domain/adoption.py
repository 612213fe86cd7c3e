"""A devolution that was not asked for here: which refunds of ours it becomes."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from kernel.money import ZERO
from payment.domain.booked import BookedPix
from payment.domain.devolution import Devolution
from payment.domain.refund import Refund, RefundOrigin, RefundStatus, RefundTarget

REASON = "outside"


def adopt(
    devolution: Devolution,
    *,
    booked: BookedPix,
    credit_left: Decimal,
    fare_left: Decimal,
    refund_ids: tuple[UUID, UUID],
    now: datetime,
) -> Sequence[Refund]:
    """One refund, or two when it takes both held money (first) and the fare; none while it does not fit.

    It does not fit while a refund of ours stands for the same money: Efí refuses that one, and then it does.
    """
    of_credit = min(devolution.amount, max(credit_left, ZERO))
    of_fare = devolution.amount - of_credit
    if of_fare > fare_left:
        return ()
    parts = zip((RefundTarget.CREDIT, RefundTarget.FARE), (of_credit, of_fare), refund_ids, strict=True)
    return [
        _refund(devolution, booked=booked, target=target, amount=amount, refund_id=refund_id, now=now)
        for target, amount, refund_id in parts
        if amount
    ]


def _refund(
    devolution: Devolution,
    *,
    booked: BookedPix,
    target: RefundTarget,
    amount: Decimal,
    refund_id: UUID,
    now: datetime,
) -> Refund:
    return Refund(
        id=refund_id,
        payment_intent_id=booked.intent_id,
        e2e_id=booked.e2e_id,
        efi_id=devolution.efi_id,
        amount=amount,
        reason=REASON,
        requested_by=None,
        created_at=now,
        target=target,
        origin=RefundOrigin.OUTSIDE,
        status=RefundStatus.PROCESSING,
    )
