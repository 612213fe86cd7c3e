"""What two writers of one payout, or two payouts, must not do to each other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from contracts.payout import PayoutCompleted
from kernel.ids import new_id
from payout.adapters.transaction import PayoutTransaction
from payout.domain.bank_details import Snapshot
from payout.domain.payout import Payout
from payout.domain.policy import Policy
from payout.domain.send import SendReport, SendState
from payout.usecases.settle_send import settle_send
from storage import Database, DatabaseSettings
from testkit import DatabaseUrls, published
from testkit.fake_clock import FakeClock

AMOUNT = Decimal("50.00")


@pytest.fixture
def urls(make_database: Callable[[str], DatabaseUrls]) -> DatabaseUrls:
    return make_database("payout")


@pytest.fixture
async def database(urls: DatabaseUrls, clock: FakeClock) -> AsyncIterator[Database[Any]]:
    opened: Database[Any] = Database(
        DatabaseSettings(database_url=urls.app_url), service="payout", make=PayoutTransaction, clock=clock
    )
    yield opened
    await opened.dispose()


def sent(*, now: datetime) -> Payout:
    """A payout that the bank works on."""
    asked, _ = Payout.request(payout_id=new_id(), driver_id=new_id(), amount=AMOUNT, now=now)
    ready, _ = asked.prepare(Snapshot(sealed="", masked={}), now=now)
    sending = ready.hold(balance_version=1).start_sending(now=now)
    return sending.accept(SendReport(state=SendState.PROCESSING), now=now)[0]


async def test_twenty_reports_of_one_send_at_once_complete_it_once(
    database: Database[Any], urls: DatabaseUrls, clock: FakeClock
) -> None:
    payout = sent(now=clock.now())
    async with database.transaction() as tx:
        await tx.payouts.add(payout, due_at=None)
    report = SendReport(state=SendState.DONE, amount=AMOUNT, e2e_id="E1", fee=Decimal("0.00"))

    async def settle() -> None:
        async with database.transaction() as tx:
            await settle_send(tx, payout_id=payout.id, report=report, policy=Policy(), now=clock.now())

    await asyncio.gather(*(settle() for _ in range(20)))

    assert len(await published(urls, of=PayoutCompleted)) == 1


async def test_two_payouts_never_share_an_id_envio(database: Database[Any], clock: FakeClock) -> None:
    first, second = sent(now=clock.now()), sent(now=clock.now())
    async with database.transaction() as tx:
        await tx.payouts.add(first, due_at=None)
    with pytest.raises(IntegrityError):
        async with database.transaction() as tx:
            await tx.payouts.add(replace(second, id_envio=first.sent_as), due_at=None)
