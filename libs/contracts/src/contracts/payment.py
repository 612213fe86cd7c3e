"""Facts that payment publishes. Passenger, driver, fare and commission are copied from the ride's end."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts.base import Fact, Money, Time
from contracts.topics import CHARGES, SENDS, STATEMENTS
from kernel.money import ZERO


class ChargeFact(Fact):
    topic = CHARGES
    key_field = "ride_id"
    ride_id: UUID
    payment_id: UUID
    passenger_id: UUID
    driver_id: UUID


class PaymentIntentCreated(ChargeFact):
    """The charge exists at Efí and can be paid."""

    fact = "payment.intent.created"
    amount: Money
    txid: str
    pix_copy_paste: str
    expires_at: Time


class PaymentConfirmed(ChargeFact):
    """The fare was received. `amount` is the fare, never the surplus; `fee` what Efí kept (0.00: none)."""

    fact = "payment.confirmed"
    amount: Money
    commission: Money
    fee: Money
    txid: str
    e2e_id: str
    paid_at: Time
    confirmed_at: Time


class PaymentExpired(ChargeFact):
    fact = "payment.expired"
    amount: Money
    expired_at: Time


class PaymentRefundRequested(ChargeFact):
    fact = "payment.refund_requested"
    refund_id: UUID
    amount: Money
    requested_at: Time


class PaymentRefunded(ChargeFact):
    """Money went back to the passenger. `total_refunded` includes this one; `full` when nothing is left."""

    fact = "payment.refunded"
    refund_id: UUID
    amount: Money
    total_refunded: Money
    payment_amount: Money
    commission: Money
    e2e_id: str
    return_id: str
    full: bool
    refunded_at: Time


class PaymentRefundFailed(ChargeFact):
    """A refund did not happen, now or by a late refusal: its amount can be refunded again. `reason` is a code."""

    fact = "payment.refund_failed"
    refund_id: UUID
    amount: Money
    reason: str
    failed_at: Time


class MismatchKind(StrEnum):
    """SURPLUS and SECOND (a second Pix for a paid charge) and LATE (for one that is expired or removed) and
    SHORT (less than the charge) belong to a passenger; UNMATCHED has no charge of ours."""

    SURPLUS = "surplus"
    SECOND = "second"
    LATE = "late"
    SHORT = "short"
    UNMATCHED = "unmatched"


class PaymentMismatchFound(Fact):
    """A Pix was received that does not fit a charge: `amount` of it is to be held for its owner.

    The ledger posts `amount` to the passenger's credit when `passenger_id` is known, else to suspense.
    `external_id` is the e2eId, with ":surplus" for the surplus of a confirmed one: unique. `fee` is what Efí
    kept of the Pix (0.00 for a surplus: the confirmation tells it).
    """

    fact = "payment.mismatch_found"
    topic = CHARGES
    key_field = "ride_id"
    kind: MismatchKind
    amount: Money
    fee: Money = ZERO
    external_id: str
    e2e_id: str
    txid: str | None = None
    ride_id: UUID | None = None
    payment_id: UUID | None = None
    passenger_id: UUID | None = None
    paid_at: Time
    found_at: Time

    def key(self) -> str:
        return str(self.ride_id) if self.ride_id else self.e2e_id


class PaymentCreditRefunded(Fact):
    """Money that `payment.mismatch_found` had held went back to its payer, whole or in part.

    `external_id` is the mismatch's own; `total_refunded` includes this one; `passenger_id` None: it was in suspense.
    """

    fact = "payment.credit_refunded"
    topic = CHARGES
    key_field = "ride_id"
    refund_id: UUID
    external_id: str
    e2e_id: str
    amount: Money
    total_refunded: Money
    ride_id: UUID | None = None
    payment_id: UUID | None = None
    passenger_id: UUID | None = None
    return_id: str
    refunded_at: Time

    def key(self) -> str:
        return str(self.ride_id) if self.ride_id else self.e2e_id


class ClaimKind(StrEnum):
    """What a webhook claimed that Efí's own answer does not bear out."""

    OTHER_KEY = "other_key"
    OTHER_TXID = "other_txid"
    OTHER_AMOUNT = "other_amount"
    UNKNOWN_PIX = "unknown_pix"
    REFUND_CONTRADICTED = "refund_contradicted"


class PaymentClaimRejected(Fact):
    """A webhook said what Efí does not confirm: nothing was credited for it, and someone must look.

    `claimed` is the webhook's amount, `confirmed` Efí's (None: Efí knows no such Pix). The ledger opens a case.
    """

    fact = "payment.claim_rejected"
    topic = CHARGES
    key_field = "e2e_id"
    kind: ClaimKind
    e2e_id: str
    txid: str | None = None
    ride_id: UUID | None = None
    claimed: Money | None = None
    confirmed: Money | None = None
    found_at: Time


class SendReported(Fact):
    """A webhook spoke of a Pix that we sent: a hint. Payout asks Efí before it acts."""

    fact = "send.reported"
    topic = SENDS
    key_field = "id_envio"
    id_envio: str
    e2e_id: str | None = None
    status: str
    reported_at: Time


class StatementLineKind(StrEnum):
    PIX_RECEIVED = "pix_received"
    PIX_SENT = "pix_sent"
    REFUND_SENT = "refund_sent"
    RETURN_RECEIVED = "return_received"
    FEE = "fee"


class StatementLine(Fact):
    """One line of Efí's statement of a day; positive amounts came in, negative ones went out."""

    fact = "statement.line"
    topic = STATEMENTS
    key_field = "day"
    day: str
    line_id: str
    kind: StatementLineKind
    amount: Money
    e2e_id: str | None = None
    txid: str | None = None
    id_envio: str | None = None
    return_id: str | None = None
    occurred_at: Time


class StatementClosed(Fact):
    """All lines of a day's statement have been published: what is posted on that day beyond them is a difference.

    `came_in` and `went_out` are the sums of the lines' amounts of either sign (`went_out` is negative or zero);
    `balance` is what Efí said the account held when the statement was taken, None if it did not say.
    """

    fact = "statement.closed"
    topic = STATEMENTS
    key_field = "day"
    day: str
    lines: int
    came_in: Money
    went_out: Money
    balance: Money | None = None
    closed_at: Time


FACTS: Final[tuple[type[Fact], ...]] = (
    PaymentIntentCreated,
    PaymentConfirmed,
    PaymentExpired,
    PaymentRefundRequested,
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentMismatchFound,
    PaymentCreditRefunded,
    PaymentClaimRejected,
    SendReported,
    StatementLine,
    StatementClosed,
)
