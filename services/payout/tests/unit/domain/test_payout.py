"""The states of a payout: every pair of steps, and what each move tells."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from payout_fakes import DETAILS, NOW, FakeVault, payout_at

from contracts.payout import PayoutCompleted, PayoutFailed, PayoutReturned, PayoutSent
from kernel.ids import new_id
from payout.domain.bank_details import BankDetails
from payout.domain.known_balance import KnownBalance
from payout.domain.payout import IllegalTransition, Payout
from payout.domain.policy import Policy
from payout.domain.send import SendReport, SendState
from payout.domain.step import FAILS_BY, MOVES, STATUS_MOVES, STATUS_OF, FailureReason, Status, Step

REPORT = SendReport(state=SendState.DONE, e2e_id="E1", fee=Decimal("0.10"))


def fail(payout: Payout) -> Payout:
    """For the first reason that counts at its step; none counts where it may not fail."""
    reason = min(FAILS_BY[payout.step], default=FailureReason.REJECTED_BY_BANK)
    return payout.fail(reason, now=NOW)[0]


TO: dict[Step, Callable[[Payout], object]] = {
    Step.READY: lambda p: p.prepare(FakeVault().seal(DETAILS), now=NOW)[0],
    Step.HELD: lambda p: p.hold(balance_version=1),
    Step.SENDING: lambda p: p.start_sending(now=NOW),
    Step.SENT: lambda p: p.accept(REPORT, now=NOW)[0],
    Step.UNKNOWN: lambda p: p.lose_track(),
    Step.COMPLETED: lambda p: p.complete(REPORT, now=NOW)[0],
    Step.FAILED: fail,
    Step.RETURNED: lambda p: p.give_back(return_id="D2", amount=Decimal("1.00"), now=NOW)[0],
}


@pytest.mark.parametrize(("before", "after"), list(product(Step, TO)))
def test_every_pair_of_steps_moves_or_is_refused(before: Step, after: Step) -> None:
    payout = payout_at(before)
    assert payout.step is before
    if after in MOVES[before]:
        moved = TO[after](payout)
        assert isinstance(moved, Payout)
        assert (moved.step, moved.version) == (after, payout.version + 1)
        assert moved.status is STATUS_OF[after]
    else:
        with pytest.raises(IllegalTransition):
            TO[after](payout)


def test_the_statuses_move_as_the_driver_sees_them() -> None:
    assert {
        Status.PENDING: {Status.PROCESSING, Status.FAILED},
        Status.PROCESSING: {Status.COMPLETED, Status.FAILED},
        Status.COMPLETED: {Status.RETURNED},
        Status.FAILED: set(),
        Status.RETURNED: set(),
    } == STATUS_MOVES


def test_nobody_goes_back_to_the_request() -> None:
    assert Step.REQUESTED not in {to for targets in MOVES.values() for to in targets}


@pytest.mark.parametrize(("step", "reason"), list(product(Step, FailureReason)))
def test_only_who_has_the_say_at_a_step_fails_a_payout(step: Step, reason: FailureReason) -> None:
    """Once a send was begun that is the bank: neither time, nor the ledger, nor a suspension."""
    by_the_bank = {FailureReason.REJECTED_BY_BANK, FailureReason.PIX_KEY_NOT_OWNED}
    by_identity = {
        FailureReason.NO_PIX_KEY, FailureReason.ACCOUNT_NOT_ACTIVE, FailureReason.PIX_KEY_COOLING_DOWN,
    }  # fmt: skip
    allowed = {
        Step.REQUESTED: by_identity,
        Step.READY: {FailureReason.INSUFFICIENT_BALANCE},
        Step.HELD: {FailureReason.ACCOUNT_NOT_ACTIVE},
        **dict.fromkeys((Step.SENDING, Step.SENT, Step.UNKNOWN), by_the_bank),
    }
    payout = payout_at(step)
    if reason in allowed.get(step, set()):
        assert payout.fail(reason, now=NOW)[0].failure_reason == reason
    else:
        with pytest.raises(IllegalTransition):
            payout.fail(reason, now=NOW)


def test_the_id_envio_is_derived_once() -> None:
    payout = payout_at(Step.HELD)
    sending = payout.start_sending(now=NOW)
    again = sending.start_sending(now=NOW + timedelta(hours=1))
    assert sending.id_envio == again.id_envio == payout.id.hex
    assert again.asked_at == NOW
    assert sending.sent_as.isalnum()
    assert len(sending.sent_as) <= 35


def test_facts_say_what_happened() -> None:
    sending = payout_at(Step.SENDING, amount="50.00")
    sent, sent_fact = sending.accept(REPORT, now=NOW)
    done, done_fact = sent.complete(REPORT, now=NOW)
    part, part_fact = done.give_back(return_id="D1", amount=Decimal("20.00"), now=NOW)
    rest, rest_fact = part.give_back(return_id="D2", amount=Decimal("30.00"), now=NOW)

    assert sent_fact == PayoutSent(
        driver_id=sent.driver_id,
        payout_id=sent.id,
        amount=sent.amount,
        id_envio=sent.sent_as,
        sent_at=NOW,
    )
    assert isinstance(done_fact, PayoutCompleted)
    assert (done_fact.e2e_id, done_fact.fee) == ("E1", Decimal("0.10"))
    assert isinstance(part_fact, PayoutReturned)
    assert (part_fact.amount, part_fact.returned_total, part_fact.payout_amount) == (
        Decimal("20.00"),
        Decimal("20.00"),
        Decimal("50.00"),
    )
    assert rest_fact.returned_total == Decimal("50.00")
    assert part.may_give_back(Decimal("30.00"))
    assert not rest.may_give_back(Decimal("0.01"))
    with pytest.raises(AssertionError):
        rest.give_back(return_id="D3", amount=Decimal("0.01"), now=NOW)


def test_a_completion_without_an_e2e_id_names_the_id_envio() -> None:
    done, fact = payout_at(Step.SENDING).complete(SendReport(state=SendState.DONE), now=NOW)
    assert fact.e2e_id == done.sent_as
    known, fact = payout_at(Step.SENT).complete(SendReport(state=SendState.DONE), now=NOW)
    assert fact.e2e_id == known.provider_transaction_id == "E1"


@pytest.mark.parametrize(
    ("step", "reason", "held"),
    [
        (Step.READY, FailureReason.INSUFFICIENT_BALANCE, False),
        (Step.HELD, FailureReason.ACCOUNT_NOT_ACTIVE, True),
        (Step.SENT, FailureReason.REJECTED_BY_BANK, True),
    ],
)
def test_a_failure_says_whether_the_amount_was_held(step: Step, reason: FailureReason, held: bool) -> None:
    failed, fact = payout_at(step).fail(reason, now=NOW, heard={"error_code": "AC03"})
    assert isinstance(fact, PayoutFailed)
    assert (fact.held, fact.reason) == (held, reason.value)
    assert failed.provider_response == {"error_code": "AC03"}
    assert failed.failed_at == NOW


def test_details_are_masked_wherever_they_are_shown() -> None:
    assert DETAILS.masked() == {
        "pix_key": "a***@exemplo.com.br",
        "pix_key_type": "email",
        "cpf": "***.982.247-**",
    }
    snapshot = FakeVault().seal(DETAILS)
    for text in (repr(DETAILS), repr(snapshot), repr(payout_at(Step.SENT))):
        assert "ana@exemplo" not in text
        assert "52998224725" not in text


def test_a_companys_key_is_owned_by_the_company() -> None:
    company = BankDetails(pix_key="11222333000181", pix_key_type="cnpj", cpf="52998224725")
    assert (company.document, DETAILS.document) == ("11222333000181", "52998224725")


def test_a_report_shows_no_more_than_it_says() -> None:
    assert SendReport(state=SendState.PROCESSING).shown() == {"status": "processing"}
    assert SendReport(state=SendState.REJECTED, e2e_id="E1", error_code="AC03").shown() == {
        "status": "rejected",
        "e2e_id": "E1",
        "error_code": "AC03",
    }


@pytest.mark.parametrize(
    ("available", "asked", "amount", "covered"),
    [
        ("10.00", "0.00", "10.00", True),
        ("10.00", "0.01", "10.00", False),
        ("10.00", "5.00", "5.00", True),
        ("0.00", "0.00", "0.01", False),
    ],
)
def test_a_balance_covers_what_nobody_has_asked_for(
    available: str, asked: str, amount: str, covered: bool
) -> None:
    balance = KnownBalance(driver_id=new_id(), available=Decimal(available))
    assert balance.covers(Decimal(amount), asked_for=Decimal(asked)) is covered


@settings(deadline=None)
@given(age_s=st.floats(min_value=0, max_value=10**6), janitor_s=st.floats(min_value=1, max_value=600))
def test_polls_are_frequent_at_first_and_never_rarer_than_the_janitor(age_s: float, janitor_s: float) -> None:
    policy = Policy(janitor_s=janitor_s)
    now = NOW + timedelta(seconds=age_s)
    wait = policy.next_poll(since=NOW, now=now) - now
    assert timedelta(seconds=0.5) <= wait <= timedelta(seconds=janitor_s)
    if age_s < 0.5:
        assert wait == timedelta(seconds=0.5)
    retry = policy.next_retry(since=NOW, now=now) - now
    assert timedelta(seconds=min(2.0, janitor_s)) <= retry <= timedelta(seconds=janitor_s)


def test_completed_payouts_are_looked_at_ever_more_seldom_for_ninety_days() -> None:
    policy = Policy(janitor_s=300)
    assert policy.next_look(completed_at=NOW, now=NOW) == NOW + timedelta(seconds=300)
    later = NOW + timedelta(days=1)
    assert policy.next_look(completed_at=NOW, now=later) == later + timedelta(days=1)
    assert policy.next_look(completed_at=NOW, now=NOW + timedelta(days=91)) is None
    assert policy.lease(now=NOW) == NOW + timedelta(seconds=90)


def test_a_failure_after_a_doubt_is_checked_for_a_day() -> None:
    policy = Policy(janitor_s=300)
    assert policy.next_check(failed_at=NOW, now=NOW) == NOW + timedelta(seconds=300)
    later = NOW + timedelta(hours=2)
    assert policy.next_check(failed_at=NOW, now=later) == later + timedelta(hours=2)
    assert policy.next_check(failed_at=NOW, now=NOW + timedelta(hours=25)) is None
