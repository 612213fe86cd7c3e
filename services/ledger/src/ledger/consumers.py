"""What the ledger listens to: charges, payouts, statements."""

from collections.abc import Mapping
from typing import Final

from contracts.base import Fact
from contracts.payment import (
    PaymentClaimRejected,
    PaymentConfirmed,
    PaymentCreditRefunded,
    PaymentMismatchFound,
    PaymentRefunded,
    PaymentRefundFailed,
    StatementClosed,
    StatementLine,
)
from contracts.payout import PayoutCompleted, PayoutContradicted, PayoutFailed, PayoutReady, PayoutReturned
from kernel.ids import new_id
from ledger.domain.cases import claim_case, contradiction_case, failed_refund_case
from ledger.metrics import STATEMENT_LINES
from ledger.ports import Tx
from ledger.usecases.close_statement import close_statement
from ledger.usecases.complete_payout import complete_payout
from ledger.usecases.hold_payout import hold_payout
from ledger.usecases.match_statement_line import match_statement_line
from ledger.usecases.open_case import open_case
from ledger.usecases.refund_credit import refund_credit
from ledger.usecases.refund_payment import refund_payment
from ledger.usecases.release_payout import release_payout
from ledger.usecases.return_payout import return_payout
from ledger.usecases.settle_payment import settle_payment
from ledger.usecases.suspend_pix import suspend_pix
from messaging import Delivery, Handler


async def on_payment_confirmed(tx: Tx, fact: PaymentConfirmed, delivery: Delivery) -> None:
    await settle_payment(tx, paid=fact, now=delivery.now)


async def on_payment_mismatch_found(tx: Tx, fact: PaymentMismatchFound, delivery: Delivery) -> None:
    await suspend_pix(tx, found=fact, now=delivery.now)


async def on_payment_refunded(tx: Tx, fact: PaymentRefunded, delivery: Delivery) -> None:
    await refund_payment(tx, refunded=fact, now=delivery.now)


async def on_payout_ready(tx: Tx, fact: PayoutReady, delivery: Delivery) -> None:
    await hold_payout(tx, ready=fact, now=delivery.now)


async def on_payout_completed(tx: Tx, fact: PayoutCompleted, delivery: Delivery) -> None:
    await complete_payout(tx, done=fact, now=delivery.now)


async def on_payout_failed(tx: Tx, fact: PayoutFailed, delivery: Delivery) -> None:
    await release_payout(tx, failed=fact, now=delivery.now)


async def on_payout_returned(tx: Tx, fact: PayoutReturned, delivery: Delivery) -> None:
    await return_payout(tx, returned=fact, now=delivery.now)


async def on_statement_line(tx: Tx, fact: StatementLine, delivery: Delivery) -> None:
    matched = await match_statement_line(tx, line=fact, case_id=new_id(), now=delivery.now)
    STATEMENT_LINES.labels(matched=str(matched).lower()).inc()


async def on_statement_closed(tx: Tx, fact: StatementClosed, delivery: Delivery) -> None:
    await close_statement(tx, closed=fact, now=delivery.now)


async def on_payment_credit_refunded(tx: Tx, fact: PaymentCreditRefunded, delivery: Delivery) -> None:
    await refund_credit(tx, refunded=fact, now=delivery.now)


async def on_payment_claim_rejected(tx: Tx, fact: PaymentClaimRejected, delivery: Delivery) -> None:
    await open_case(tx, case=claim_case(fact, case_id=new_id(), now=delivery.now))


async def on_payment_refund_failed(tx: Tx, fact: PaymentRefundFailed, delivery: Delivery) -> None:
    await open_case(tx, case=failed_refund_case(fact, case_id=new_id(), now=delivery.now))


async def on_payout_contradicted(tx: Tx, fact: PayoutContradicted, delivery: Delivery) -> None:
    await open_case(tx, case=contradiction_case(fact, case_id=new_id(), now=delivery.now))


HANDLERS: Final[Mapping[type[Fact], Handler]] = {
    PaymentConfirmed: on_payment_confirmed,
    PaymentMismatchFound: on_payment_mismatch_found,
    PaymentRefunded: on_payment_refunded,
    PayoutReady: on_payout_ready,
    PayoutCompleted: on_payout_completed,
    PayoutFailed: on_payout_failed,
    PayoutReturned: on_payout_returned,
    PaymentCreditRefunded: on_payment_credit_refunded,
    PaymentClaimRejected: on_payment_claim_rejected,
    PaymentRefundFailed: on_payment_refund_failed,
    PayoutContradicted: on_payout_contradicted,
    StatementLine: on_statement_line,
    StatementClosed: on_statement_closed,
}
