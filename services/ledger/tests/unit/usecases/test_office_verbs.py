"""The verbs of the accounting office on books in memory."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from ledger_books import NOW, confirmed, mismatch
from ledger_fakes import FakeTx
from ledger_office import admin, capital, closed, credit_refunded, received_line

from contracts.audit import AuditRecorded
from contracts.ledger import LedgerCaseOpened, LedgerCaseResolved
from kernel.ids import new_id
from kernel.money import money
from kernel.refusals import NotFound
from ledger.domain.as_of import By, Moment
from ledger.domain.cases import CaseKind, CaseStatus, Resolution
from ledger.domain.chart import CHART
from ledger.domain.closing import DayOutOfOrder
from ledger.domain.instruction import EntityType
from ledger.domain.manual import FourEyes, Proposal, ProposalStatus
from ledger.domain.reports import InvalidPeriod
from ledger.usecases.approve_manual_journal import approve_manual_journal
from ledger.usecases.close_day import close_day
from ledger.usecases.close_statement import close_statement
from ledger.usecases.get_account_balance import NoOwners, get_account_balance
from ledger.usecases.get_balance_sheet import get_balance_sheet
from ledger.usecases.get_case import get_case
from ledger.usecases.get_income_statement import get_income_statement
from ledger.usecases.get_journal import get_journal
from ledger.usecases.get_manual_journal import get_manual_journal
from ledger.usecases.get_reconciliation_day import get_reconciliation_day
from ledger.usecases.get_trial_balance import get_trial_balance
from ledger.usecases.list_accounts import list_accounts
from ledger.usecases.list_cases import list_cases
from ledger.usecases.list_closed_days import list_closed_days
from ledger.usecases.list_manual_journals import list_manual_journals
from ledger.usecases.list_reconciliation_days import list_reconciliation_days
from ledger.usecases.match_statement_line import match_statement_line
from ledger.usecases.propose_manual_journal import propose_manual_journal
from ledger.usecases.recheck_statements import recheck_statements
from ledger.usecases.refund_credit import refund_credit
from ledger.usecases.reject_manual_journal import reject_manual_journal
from ledger.usecases.resolve_case import resolve_case
from ledger.usecases.settle_payment import settle_payment
from ledger.usecases.suspend_pix import suspend_pix
from ledger.usecases.take_day_snapshots import take_day_snapshots
from ledger.usecases.verify_snapshots import verify_snapshots

TODAY = date(2026, 3, 10)
DAY = TODAY.isoformat()


@pytest.fixture
def tx() -> FakeTx:
    return FakeTx()


def actions(tx: FakeTx) -> list[str]:
    return [fact.action for fact in tx.published if isinstance(fact, AuditRecorded)]


async def proposed(tx: FakeTx) -> Proposal:
    return await propose_manual_journal(
        tx,
        proposal_id=new_id(),
        lines=capital(),
        description="Capital",
        reason="contrato",
        reference_number=None,
        actor=admin(),
        now=NOW,
    )


async def test_a_manual_journal_is_posted_when_another_approves_it(tx: FakeTx) -> None:
    proposal = await proposed(tx)
    assert proposal.draft().lines == capital()
    assert tx.books.journals == []
    own = admin().__class__(user_id=proposal.proposed_by, user_type="admin")
    with pytest.raises(FourEyes):
        await approve_manual_journal(tx, proposal_id=proposal.id, actor=own, now=NOW)
    await approve_manual_journal(tx, proposal_id=proposal.id, actor=admin(), now=NOW)
    assert await get_account_balance(tx, code="3100") == money("1000.00")
    assert (await get_journal(tx, name=proposal.transaction_id)).total == money("1000.00")
    assert (await get_manual_journal(tx, proposal_id=proposal.id)).status is ProposalStatus.APPROVED
    assert actions(tx) == ["propose_manual_journal", "create_journal_entry", "approve_manual_journal"]


async def test_a_rejected_journal_is_not_posted(tx: FakeTx) -> None:
    proposal = await proposed(tx)
    await reject_manual_journal(tx, proposal_id=proposal.id, reason="no", actor=admin(), now=NOW)
    assert tx.books.journals == []
    assert await list_manual_journals(tx, status=ProposalStatus.PROPOSED, after=None, limit=9) == []
    assert actions(tx) == ["propose_manual_journal", "reject_manual_journal"]


async def test_what_does_not_exist_is_not_found(tx: FakeTx) -> None:
    with pytest.raises(NotFound):
        await approve_manual_journal(tx, proposal_id=new_id(), actor=admin(), now=NOW)
    with pytest.raises(NotFound):
        await reject_manual_journal(tx, proposal_id=new_id(), reason="x", actor=admin(), now=NOW)
    with pytest.raises(NotFound):
        await get_manual_journal(tx, proposal_id=new_id())
    with pytest.raises(NotFound):
        await get_journal(tx, name="nothing")
    with pytest.raises(NotFound):
        await get_case(tx, case_id=new_id())
    with pytest.raises(NotFound):
        await get_reconciliation_day(tx, day=TODAY)
    assert await list_reconciliation_days(tx, before=None, limit=9) == []


async def test_a_line_waits_for_its_entry_and_then_opens_one_case(tx: FakeTx) -> None:
    paid, never = confirmed("50.00"), confirmed("30.00")
    lines = [received_line(paid, day=DAY), received_line(never, day=DAY)]
    for line in lines:
        assert not await match_statement_line(tx, line=line, case_id=new_id(), now=NOW)
    await settle_payment(tx, paid=paid, now=NOW)
    await tx.commit()
    assert await close_statement(tx, closed=closed(lines, day=DAY, at=NOW), now=NOW) == 1
    assert await match_statement_line(tx, line=lines[0], case_id=new_id(), now=NOW)
    assert await recheck_statements(tx, grace_s=60, new_id=new_id, now=NOW) == 0
    later = NOW + timedelta(seconds=60)
    assert [await recheck_statements(tx, grace_s=60, new_id=new_id, now=later) for _ in range(2)] == [1, 0]

    [told] = [fact for fact in tx.published if isinstance(fact, LedgerCaseOpened)]
    assert (told.kind, told.reference, told.amount) == ("missing_in_ledger", never.e2e_id, money("30.00"))
    [case] = await list_cases(
        tx, status=CaseStatus.OPEN, kind=CaseKind.MISSING_IN_LEDGER, after=None, limit=9
    )
    assert await get_case(tx, case_id=case.id) == case
    with pytest.raises(NotFound):
        await resolve(tx, case.id, Resolution.CORRECTED_BY_JOURNAL, "nothing")
    await resolve(tx, case.id, Resolution.CORRECTED_BY_JOURNAL, f"payment_{paid.payment_id}")
    assert [type(fact) for fact in tx.published[-2:]] == [LedgerCaseResolved, AuditRecorded]
    with pytest.raises(NotFound):
        await resolve(tx, new_id(), Resolution.EXPLAINED, None)


async def resolve(tx: FakeTx, case_id: object, resolution: Resolution, journal: str | None) -> None:
    await resolve_case(
        tx,
        case_id=case_id,  # type: ignore[arg-type]
        resolution=resolution,
        note="looked",
        journal=journal,
        actor=admin(),
        now=NOW,
    )


async def test_an_entry_without_a_line_and_one_of_another_amount_open_their_cases(tx: FakeTx) -> None:
    known, alone = confirmed("50.00"), confirmed("30.00")
    for paid in (known, alone):
        await settle_payment(tx, paid=paid, now=NOW)
    await tx.commit()
    line = received_line(known, day=DAY, amount="49.00")
    await match_statement_line(tx, line=line, case_id=new_id(), now=NOW)
    await close_statement(tx, closed=closed([line], day=DAY, at=NOW), now=NOW)
    before = list(tx.books.journals)
    assert await recheck_statements(tx, grace_s=0, new_id=new_id, now=NOW) == 2
    assert {case.kind for case in tx.cases.opened.values()} == {
        CaseKind.AMOUNT_DIFFERS,
        CaseKind.MISSING_AT_BANK,
    }
    assert tx.books.journals == before


async def test_days_are_shut_once_they_have_settled(tx: FakeTx) -> None:
    await settle_payment(tx, paid=confirmed(), now=NOW)
    await tx.commit()
    later = NOW + timedelta(days=3)
    assert await take_day_snapshots(tx, now=later, limit=2) == 2
    assert await take_day_snapshots(tx, now=later, limit=9) == 1
    assert await take_day_snapshots(tx, now=later, limit=9) == 0
    assert tx.days.taken == [TODAY, TODAY + timedelta(days=1), TODAY + timedelta(days=2)]
    assert (await verify_snapshots(tx)).days == 3
    tx.days.broken = {TODAY + timedelta(days=1)}
    verdict = await verify_snapshots(tx)
    assert (verdict.days, verdict.broken_day) == (1, TODAY + timedelta(days=1))
    assert (await verify_snapshots(FakeTx())).days == 0


async def test_a_day_is_closed_by_a_person_with_its_snapshot(tx: FakeTx) -> None:
    await settle_payment(tx, paid=confirmed(), now=NOW)
    await tx.commit()
    later = NOW + timedelta(days=3)
    await close_day(tx, day=TODAY, actor=admin(), now=later)
    with pytest.raises(DayOutOfOrder):
        await close_day(tx, day=TODAY, actor=admin(), now=later)
    assert tx.days.taken == [TODAY]
    assert [day.day for day in await list_closed_days(tx, before=None, limit=9)] == [TODAY]
    assert actions(tx) == ["close_day"]


async def test_reports_are_of_the_day_that_is_asked(tx: FakeTx) -> None:
    await settle_payment(tx, paid=confirmed("50.00", fee="0.50"), now=NOW)
    await tx.commit()
    assert (await get_trial_balance(tx, day=TODAY)).totals.debits == money("150.50")
    assert (await get_trial_balance(tx, day=TODAY - timedelta(days=1))).totals.debits == 0
    assert (await get_balance_sheet(tx, day=TODAY)).result == money("9.50")
    assert (await get_income_statement(tx, first=TODAY, last=TODAY)).result == money("9.50")
    with pytest.raises(InvalidPeriod):
        await get_income_statement(tx, first=TODAY, last=TODAY - timedelta(days=1))
    assert len(await list_accounts(tx)) == len(CHART)


async def test_a_balance_as_of_a_moment_has_two_times(tx: FakeTx) -> None:
    paid = confirmed("50.00", at=NOW - timedelta(hours=2))
    await settle_payment(tx, paid=paid, now=NOW)
    await tx.commit()
    for by, amount in ((By.OCCURRED, "40.00"), (By.RECORDED, "0.00")):
        moment = Moment(at=NOW - timedelta(hours=1), by=by)
        seen = await get_account_balance(tx, code="2100", owner_id=paid.driver_id, as_of=moment)
        assert seen == money(amount)
    with pytest.raises(NoOwners):
        await get_account_balance(tx, code="1100", owner_id=paid.driver_id, as_of=Moment(at=NOW))


async def test_held_money_goes_back_under_the_pixs_lock(tx: FakeTx) -> None:
    found = mismatch("5.00")
    await suspend_pix(tx, found=found, now=NOW)
    await tx.commit()
    await refund_credit(tx, refunded=credit_refunded(found, "5.00", at=NOW), now=NOW)
    await tx.commit()
    assert tx.books.account("2900") == Decimal(0)
    assert tx.journals.locked == [(EntityType.PIX, found.external_id)]
