"""Each verb on books in memory."""

from datetime import date
from decimal import Decimal

import pytest
from ledger_books import NOW, completed, confirmed, failed, mismatch, ready, refunded, returned
from ledger_fakes import FakeTx

from contracts.audit import AuditRecorded
from kernel.actor import SYSTEM
from kernel.ids import new_id
from kernel.refusals import NotFound
from ledger.domain.chart import UnknownAccount
from ledger.domain.instruction import EntityType
from ledger.domain.journal import Draft, credit, debit
from ledger.domain.manual import MANUAL, AlreadyPosted
from ledger.domain.reversal import AlreadyReversed
from ledger.usecases.calculate_running_balances import calculate_running_balances
from ledger.usecases.complete_payout import complete_payout
from ledger.usecases.create_journal_entry import create_journal_entry
from ledger.usecases.get_account_balance import get_account_balance
from ledger.usecases.get_driver_balance import get_driver_balance
from ledger.usecases.get_driver_financials import get_driver_financials
from ledger.usecases.hold_payout import hold_payout
from ledger.usecases.make_partitions import make_partitions
from ledger.usecases.refund_payment import refund_payment
from ledger.usecases.release_payout import release_payout
from ledger.usecases.return_payout import return_payout
from ledger.usecases.reverse_transaction import reverse_transaction
from ledger.usecases.settle_payment import settle_payment
from ledger.usecases.suspend_pix import suspend_pix
from ledger.usecases.verify_seals import verify_seals


@pytest.fixture
def tx() -> FakeTx:
    return FakeTx()


async def test_money_events_are_posted_in_order_with_the_transaction(tx: FakeTx) -> None:
    paid = confirmed("100.00", commission="20.00")
    sent, lost = ready("30.00", driver_id=paid.driver_id), ready("10.00", driver_id=paid.driver_id)
    await settle_payment(tx, paid=paid, now=NOW)
    await suspend_pix(tx, found=mismatch("5.00"), now=NOW)
    await hold_payout(tx, ready=sent, now=NOW)
    await hold_payout(tx, ready=lost, now=NOW)
    await complete_payout(tx, done=completed(sent), now=NOW)
    await release_payout(tx, failed=failed(lost), now=NOW)
    await return_payout(tx, returned=returned(sent, "10.00"), now=NOW)
    await refund_payment(tx, refunded=refunded(paid, "50.00"), now=NOW)
    assert tx.books.journals == []

    await tx.commit()

    balance = await get_driver_balance(tx, driver_id=paid.driver_id)
    assert (balance.available, balance.on_hold) == (Decimal("20.00"), Decimal("0.00"))
    assert await get_account_balance(tx, code="1100") == Decimal("35.00")


async def test_a_header_has_no_balance(tx: FakeTx) -> None:
    with pytest.raises(UnknownAccount):
        await get_account_balance(tx, code="1000")


async def test_financials_ask_for_the_periods_of_now(tx: FakeTx) -> None:
    balance, earnings = await get_driver_financials(tx, driver_id=new_id(), now=NOW)
    assert (balance.total, earnings.rides_today) == (Decimal("0.00"), 0)
    assert tx.journals.asked_periods is not None
    assert tx.journals.asked_periods.today == date(2026, 3, 10)


def capital(transaction_id: str = "capital_1") -> Draft:
    return Draft(
        transaction_id=transaction_id,
        event_type=MANUAL,
        entity_type=EntityType.MANUAL,
        entity_id=transaction_id,
        description="Capital dos sócios",
        lines=(debit("1100", Decimal("1000.00")), credit("3100", Decimal("1000.00"))),
    )


async def test_a_manual_journal_is_posted_once_and_audited(tx: FakeTx) -> None:
    await create_journal_entry(tx, draft=capital(), actor=SYSTEM, now=NOW)

    assert await get_account_balance(tx, code="3100") == Decimal("1000.00")
    [record] = [fact for fact in tx.published if isinstance(fact, AuditRecorded)]
    assert (record.action, record.entity_id) == ("create_journal_entry", "capital_1")
    with pytest.raises(AlreadyPosted):
        await create_journal_entry(tx, draft=capital(), actor=SYSTEM, now=NOW)
    # Someone else posts it between our look and our posting.
    tx.books.journals.clear()
    with pytest.raises(AlreadyPosted):
        await create_journal_entry(tx, draft=capital(), actor=SYSTEM, now=NOW)


async def test_a_transaction_is_reversed_once_and_audited(tx: FakeTx) -> None:
    await create_journal_entry(tx, draft=capital(), actor=SYSTEM, now=NOW)
    await reverse_transaction(tx, transaction_id="capital_1", reason="typo", actor=SYSTEM, now=NOW)

    assert await get_account_balance(tx, code="1100") == Decimal("0.00")
    assert [f.action for f in tx.published if isinstance(f, AuditRecorded)] == [
        "create_journal_entry",
        "reverse_transaction",
    ]
    with pytest.raises(AlreadyReversed):
        await reverse_transaction(tx, transaction_id="capital_1", reason="typo", actor=SYSTEM, now=NOW)
    with pytest.raises(NotFound):
        await reverse_transaction(tx, transaction_id="none", reason="typo", actor=SYSTEM, now=NOW)


async def test_jobs_pass_the_time_on(tx: FakeTx) -> None:
    assert await calculate_running_balances(tx, now=NOW) == 1
    assert await make_partitions(tx, days_ahead=95, now=NOW) == 4
    assert tx.journals.asked_months == (date(2026, 3, 10), date(2026, 6, 13))


async def test_the_chain_is_verified_from_its_beginning(tx: FakeTx) -> None:
    assert (await verify_seals(tx)).head == ""
    for _ in range(3):
        await settle_payment(tx, paid=confirmed(), now=NOW)
        await tx.commit()
        tx.seals.link()

    verdict = await verify_seals(tx)
    assert (verdict.seals, verdict.journals, verdict.broken_seq) == (3, 3, None)
    tx.books.journals[1] = tx.books.journals[0]
    verdict = await verify_seals(tx)
    assert (verdict.seals, verdict.broken_seq) == (1, 2)
