"""Proposals, closed days, cases and credits that go back: the rules of the accounting office."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from ledger_books import NOW, mismatch
from ledger_fakes import FakeBooks
from ledger_office import capital, credit_refunded, refund_failed

from contracts.payment import ClaimKind, PaymentClaimRejected
from contracts.payout import PayoutContradicted
from kernel.ids import new_id
from kernel.money import money
from ledger.domain.cases import (
    Case,
    CaseAlreadyResolved,
    CaseKind,
    CaseStatus,
    CorrectionNotNamed,
    Resolution,
    claim_case,
    contradiction_case,
    failed_refund_case,
)
from ledger.domain.closing import DayNotOver, DayNotReconciled, DayOutOfOrder, DayState, check_closable
from ledger.domain.credit_refund import credit_refund
from ledger.domain.instruction import Contradiction
from ledger.domain.journal import InvalidJournal, UnbalancedJournal
from ledger.domain.manual import MOST, AlreadyDecided, FourEyes, Proposal, ProposalStatus, propose
from ledger.domain.settlement import suspension

TODAY = date(2026, 3, 10)


def proposal() -> Proposal:
    return propose(
        capital("5.00"),
        proposal_id=new_id(),
        description="Capital",
        reason="contrato",
        reference_number=None,
        by=new_id(),
        now=NOW,
    )


def test_a_proposal_balances_and_becomes_its_journal() -> None:
    proposed = proposal()
    draft = proposed.draft()
    assert (draft.transaction_id, proposed.amount) == (f"manual_{proposed.id}", money("5.00"))
    for lines, refusal in ((capital()[:1], UnbalancedJournal), (capital(str(MOST)) * 2, InvalidJournal)):
        with pytest.raises(refusal):
            propose(
                lines,
                proposal_id=new_id(),
                description="x",
                reason="x",
                reference_number=None,
                by=new_id(),
                now=NOW,
            )


def test_another_person_approves_once() -> None:
    proposed, other = proposal(), new_id()
    with pytest.raises(FourEyes):
        proposed.approve(proposed.proposed_by, now=NOW)
    approved = proposed.approve(other, now=NOW)
    assert (approved.status, approved.decided_by, approved.decided_at) == (
        ProposalStatus.APPROVED,
        other,
        NOW,
    )
    with pytest.raises(AlreadyDecided):
        approved.approve(new_id(), now=NOW)
    with pytest.raises(AlreadyDecided):
        approved.reject(new_id(), reason="late", now=NOW)


def test_whoever_proposed_may_take_it_back() -> None:
    proposed = proposal()
    rejected = proposed.reject(proposed.proposed_by, reason="typo", now=NOW)
    assert (rejected.status, rejected.decision_reason) == (ProposalStatus.REJECTED, "typo")


GOOD = DayState(last_closed=TODAY - timedelta(days=2), statement_checked=True, bank_moved=True, open_cases=0)
YESTERDAY = TODAY - timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "state", "refusal"),
    [
        (YESTERDAY, GOOD, None),
        (YESTERDAY, replace(GOOD, last_closed=None), None),
        (YESTERDAY, replace(GOOD, statement_checked=False, bank_moved=False), None),
        (TODAY, replace(GOOD, last_closed=YESTERDAY), DayNotOver),
        (YESTERDAY, replace(GOOD, last_closed=YESTERDAY), DayOutOfOrder),
        (YESTERDAY, replace(GOOD, last_closed=TODAY - timedelta(days=3)), DayOutOfOrder),
        (YESTERDAY, replace(GOOD, statement_checked=False), DayNotReconciled),
        (YESTERDAY, replace(GOOD, open_cases=1), DayNotReconciled),
    ],
)
def test_which_day_may_be_closed(day: date, state: DayState, refusal: type[Exception] | None) -> None:
    if refusal is None:
        check_closable(day, state, now=NOW)
        return
    with pytest.raises(refusal):
        check_closable(day, state, now=NOW)


@pytest.mark.parametrize(("claimed", "confirmed"), [("5.00", "4.00"), (None, None)])
@pytest.mark.parametrize("kind", list(ClaimKind))
def test_each_claim_has_its_kind_of_case(kind: ClaimKind, claimed: str | None, confirmed: str | None) -> None:
    claim = PaymentClaimRejected(
        kind=kind,
        e2e_id="E1",
        claimed=None if claimed is None else money(claimed),
        confirmed=None if confirmed is None else money(confirmed),
        found_at=NOW,
    )
    case = claim_case(claim, case_id=new_id(), now=NOW)
    assert (case.kind.value, case.reference) == (f"claim_{kind.value}", "E1")
    assert case.amount == money(claimed or 0)
    assert case.opened_fact().kind == case.kind.value


def contradicted() -> Case:
    found = PayoutContradicted(
        driver_id=new_id(),
        payout_id=new_id(),
        amount=money("8.00"),
        id_envio="x",
        known="COMPLETED",
        reported="NAO_REALIZADO",
        detail="late",
        found_at=NOW,
    )
    return contradiction_case(found, case_id=new_id(), now=NOW)


def test_a_contradiction_is_a_case_of_its_payout() -> None:
    case = contradicted()
    assert (case.kind, case.amount, case.status) == (
        CaseKind.PAYOUT_CONTRADICTED,
        money("8.00"),
        CaseStatus.OPEN,
    )
    assert "COMPLETED here" in case.difference.detail


def test_a_refund_that_failed_is_a_case_of_its_payment_once_a_refund() -> None:
    failed = refund_failed("3.50", reason="pix_nao_encontrado")
    case = failed_refund_case(failed, case_id=new_id(), now=NOW)
    assert (case.kind, case.amount, case.reference) == (
        CaseKind.REFUND_FAILED,
        money("3.50"),
        str(failed.payment_id),
    )
    assert (case.difference.detail, case.day) == ("pix_nao_encontrado", None)
    assert case.external_id == failed_refund_case(failed, case_id=new_id(), now=NOW).external_id
    assert str(failed.refund_id) in case.external_id


@pytest.mark.parametrize("resolution", list(Resolution))
def test_only_a_correction_names_a_journal_and_a_case_is_resolved_once(resolution: Resolution) -> None:
    case, person, journal = contradicted(), new_id(), new_id()
    corrects = resolution is Resolution.CORRECTED_BY_JOURNAL
    with pytest.raises(CorrectionNotNamed):
        case.resolve(resolution, note="x", journal_id=None if corrects else journal, by=person, now=NOW)
    right = journal if corrects else None
    resolved = case.resolve(resolution, note="x", journal_id=right, by=person, now=NOW)
    assert (resolved.status, resolved.resolution_journal) == (CaseStatus.RESOLVED, right)
    assert resolved.resolved_fact().resolved_by == person
    with pytest.raises(CaseAlreadyResolved):
        resolved.resolve(resolution, note="x", journal_id=right, by=person, now=NOW)


@pytest.mark.parametrize(("known", "code"), [(True, "2200"), (False, "2900")])
def test_a_held_pix_goes_back_in_parts_and_never_more_than_it_was(*, known: bool, code: str) -> None:
    books = FakeBooks()
    found = mismatch("5.00", passenger_id=new_id() if known else None)
    books.post(suspension(found))
    first = credit_refunded(found, "2.00", at=NOW)
    books.post(credit_refund(first), credit_refund(first))
    assert (books.account("1100"), books.account(code)) == (Decimal("3.00"), Decimal("3.00"))
    with pytest.raises(Contradiction):
        books.post(credit_refund(credit_refunded(found, "3.01", at=NOW)))
    books.post(credit_refund(credit_refunded(found, "3.00", total="5.00", at=NOW)))
    assert (books.account("1100"), books.account(code)) == (0, 0)
    with pytest.raises(Contradiction):
        books.post(credit_refund(credit_refunded(found, "0.01", at=NOW)))


def test_a_credit_that_was_never_posted_does_not_go_back() -> None:
    with pytest.raises(Contradiction):
        FakeBooks().post(credit_refund(credit_refunded(mismatch("5.00"), "1.00", at=NOW)))
