"""What payout listens to: drivers' profiles, the ledger's decisions and balances, hints about sends."""

from collections.abc import Mapping
from typing import Final

from contracts.base import Fact
from contracts.identity import Profile, UserType
from contracts.ledger import LedgerDriverBalanceChanged, LedgerPayoutHeld, LedgerPayoutRefused
from contracts.payment import SendReported
from messaging import Delivery, Handler
from payout.domain.known_balance import KnownBalance
from payout.domain.standing import Standing
from payout.domain.step import FailureReason
from payout.metrics import FAILED
from payout.ports import Tx
from payout.usecases.fail_payout import fail_payout
from payout.usecases.follow_balance import follow_balance
from payout.usecases.follow_standing import follow_standing
from payout.usecases.hold_payout import hold_payout
from payout.usecases.note_send_report import note_send_report


async def on_profile(tx: Tx, fact: Profile, delivery: Delivery) -> None:
    """Drivers only, and no more of them than paying out needs."""
    if fact.user_type is not UserType.DRIVER:
        return
    standing = Standing(
        driver_id=fact.user_id,
        status=fact.status,
        pix_key_changed_at=fact.pix_key_changed_at,
        version=fact.version,
    )
    await follow_standing(tx, standing=standing, now=delivery.now)


async def on_driver_balance_changed(tx: Tx, fact: LedgerDriverBalanceChanged, delivery: Delivery) -> None:
    balance = KnownBalance(
        driver_id=fact.driver_id,
        available=fact.available,
        on_hold=fact.on_hold,
        version=fact.version,
    )
    await follow_balance(tx, balance=balance, now=delivery.now)


async def on_payout_held(tx: Tx, fact: LedgerPayoutHeld, delivery: Delivery) -> None:
    await hold_payout(tx, payout_id=fact.payout_id, balance_version=fact.balance_version, now=delivery.now)


async def on_payout_refused(tx: Tx, fact: LedgerPayoutRefused, delivery: Delivery) -> None:
    reason = FailureReason(fact.reason)

    async def count() -> None:
        FAILED.labels(reason=reason.value).inc()

    await fail_payout(tx, payout_id=fact.payout_id, reason=reason, now=delivery.now)
    tx.after_commit(count)


async def on_send_reported(tx: Tx, fact: SendReported, delivery: Delivery) -> None:
    await note_send_report(tx, id_envio=fact.id_envio, now=delivery.now)


HANDLERS: Final[Mapping[type[Fact], Handler]] = {
    Profile: on_profile,
    LedgerDriverBalanceChanged: on_driver_balance_changed,
    LedgerPayoutHeld: on_payout_held,
    LedgerPayoutRefused: on_payout_refused,
    SendReported: on_send_reported,
}
