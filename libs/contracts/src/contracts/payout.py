"""Facts that payout publishes. No Pix key, no CPF: the bank snapshot stays encrypted in payout."""

from typing import Final
from uuid import UUID

from contracts.base import Fact, Money, Time
from contracts.topics import PAYOUTS


class PayoutFact(Fact):
    topic = PAYOUTS
    key_field = "driver_id"
    driver_id: UUID
    payout_id: UUID
    amount: Money


class PayoutRequested(PayoutFact):
    fact = "payout.requested"
    requested_at: Time


class PayoutReady(PayoutFact):
    """The bank snapshot is taken; the ledger may hold the amount."""

    fact = "payout.ready"
    ready_at: Time


class PayoutSent(PayoutFact):
    fact = "payout.sent"
    id_envio: str
    sent_at: Time


class PayoutCompleted(PayoutFact):
    """`fee` is what Efí charged for the transfer (0.00 if it says none)."""

    fact = "payout.completed"
    id_envio: str
    e2e_id: str
    fee: Money
    completed_at: Time


class PayoutFailed(PayoutFact):
    """`held` says whether the ledger had held the amount, and so must reverse it. `reason` is a code."""

    fact = "payout.failed"
    reason: str
    held: bool
    failed_at: Time


class PayoutReturned(PayoutFact):
    """A completed payout came back, whole or in part: `amount` is this return, `payout_amount` the whole."""

    fact = "payout.returned"
    payout_amount: Money
    returned_total: Money
    return_id: str
    returned_at: Time


class PayoutContradicted(PayoutFact):
    """Efí said what cannot be: `known` is our status, `reported` Efí's. Nothing moved; the ledger opens a case."""

    fact = "payout.contradicted"
    id_envio: str
    known: str
    reported: str
    detail: str
    found_at: Time


FACTS: Final[tuple[type[Fact], ...]] = (
    PayoutRequested,
    PayoutReady,
    PayoutSent,
    PayoutCompleted,
    PayoutFailed,
    PayoutReturned,
    PayoutContradicted,
)
