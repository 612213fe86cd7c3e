"""A Pix that reached our account, and what it means for the charge it names.

Money that arrived is never refused: it pays the fare, or it is held for its owner.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from contracts.payment import MismatchKind, PaymentMismatchFound
from kernel.money import ZERO
from payment.domain.charge import Charge, ChargeStatus
from payment.domain.devolution import Devolution
from payment.domain.intent import Intent


class Source(StrEnum):
    """How we learnt of the Pix."""

    WEBHOOK = "webhook"
    JANITOR = "janitor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """As Efí's own query describes it, never as a webhook claims. `fee` is what Efí kept of it.

    `ours` is False when it came in for another Pix key than ours; `devolutions` is what goes back of it.
    """

    e2e_id: str
    txid: str | None
    amount: Decimal
    fee: Decimal
    paid_at: datetime
    ours: bool = True
    devolutions: tuple[Devolution, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`confirms` the charge, and `held` of the amount belongs elsewhere because of `mismatch`."""

    confirms: bool
    mismatch: MismatchKind | None = None
    held: Decimal = ZERO


def judge(received: Received, *, charge: Charge | None) -> Verdict:
    """What a received Pix does, given the charge of its txid (None: no charge of ours)."""
    if charge is None:
        return Verdict(confirms=False, mismatch=MismatchKind.UNMATCHED, held=received.amount)
    if charge.status is ChargeStatus.COMPLETED:
        return Verdict(confirms=False, mismatch=MismatchKind.SECOND, held=received.amount)
    if charge.status is ChargeStatus.EXPIRED:
        return Verdict(confirms=False, mismatch=MismatchKind.LATE, held=received.amount)
    surplus = received.amount - charge.amount
    if surplus < 0:
        return Verdict(confirms=False, mismatch=MismatchKind.SHORT, held=received.amount)
    if surplus > 0:
        return Verdict(confirms=True, mismatch=MismatchKind.SURPLUS, held=surplus)
    return Verdict(confirms=True)


def mismatch_fact(
    received: Received, verdict: Verdict, *, intent: Intent | None, now: datetime
) -> PaymentMismatchFound:
    """The fact of a verdict with a mismatch: what the ledger is to hold, and for whom."""
    if verdict.mismatch is None:
        raise ValueError(f"{received.e2e_id} fits its charge")
    surplus = verdict.mismatch is MismatchKind.SURPLUS
    return PaymentMismatchFound(
        kind=verdict.mismatch,
        amount=verdict.held,
        fee=ZERO if verdict.confirms else received.fee,
        external_id=f"{received.e2e_id}:surplus" if surplus else received.e2e_id,
        e2e_id=received.e2e_id,
        txid=received.txid,
        ride_id=intent.ride_id if intent else None,
        payment_id=intent.id if intent else None,
        passenger_id=intent.passenger_id if intent else None,
        paid_at=received.paid_at,
        found_at=now,
    )
