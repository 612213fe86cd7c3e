"""What the bank cannot have meant."""

from dataclasses import replace
from decimal import Decimal

import pytest
from payout_fakes import NOW, payout_at

from payout.domain.contradiction import contradiction_in, too_much_returned
from payout.domain.history import Attempt
from payout.domain.payout import Payout
from payout.domain.send import Outcome, SendReport, SendState
from payout.domain.step import FailureReason, Step


def standing_at(step: Step) -> Payout:
    if step is not Step.FAILED:
        return payout_at(step)
    return payout_at(Step.SENT).fail(FailureReason.REJECTED_BY_BANK, now=NOW)[0]


@pytest.mark.parametrize(
    ("step", "state", "reported"),
    [
        (Step.FAILED, SendState.DONE, "REALIZADO"),
        (Step.FAILED, SendState.PROCESSING, "EM_PROCESSAMENTO"),
        (Step.FAILED, SendState.REJECTED, None),
        (Step.COMPLETED, SendState.REJECTED, "NAO_REALIZADO"),
        (Step.RETURNED, SendState.REJECTED, "NAO_REALIZADO"),
        (Step.COMPLETED, SendState.DONE, None),
        (Step.COMPLETED, SendState.PROCESSING, None),
        (Step.UNKNOWN, SendState.REJECTED, None),
        (Step.SENT, SendState.DONE, None),
    ],
)
def test_a_verdict_is_not_taken_back(step: Step, state: SendState, reported: str | None) -> None:
    payout = standing_at(step)
    found = contradiction_in(payout, SendReport(state=state, amount=payout.amount))
    assert (found and found.reported) == reported
    if found is not None:
        fact = found.fact(payout, now=NOW)
        assert (fact.known, fact.reported, fact.id_envio) == (payout.status, reported, payout.id.hex)


@pytest.mark.parametrize("state", list(SendState))
@pytest.mark.parametrize("step", [Step.SENDING, Step.UNKNOWN, Step.SENT, Step.COMPLETED, Step.FAILED])
def test_another_amount_is_another_send(step: Step, state: SendState) -> None:
    found = contradiction_in(standing_at(step), SendReport(state=state, amount=Decimal("49.99")))
    assert found is not None
    assert found.detail == "another_amount: 49.99 instead of 50.00"


def test_more_than_was_sent_does_not_come_back() -> None:
    payout = replace(payout_at(Step.RETURNED), returned=Decimal("49.00"))
    found = too_much_returned(payout, return_id="D9", amount=Decimal("2.00"))
    assert (found.known, found.reported) == ("RETURNED", "DEVOLVIDO")
    assert found.detail == "too_much_returned: 2.00 (D9) after 49.00 of 50.00"


@pytest.mark.parametrize(
    ("outcome", "in_doubt"),
    [(None, True), (Outcome.UNCLEAR, True), (Outcome.NOT_MADE, False), (Outcome.REFUSED, False)],
)
def test_an_attempt_without_an_answer_is_in_doubt(outcome: Outcome | None, in_doubt: bool) -> None:
    attempt = Attempt(id=payout_at(Step.SENT).id, id_envio="x", started_at=NOW, outcome=outcome)
    assert attempt.in_doubt is in_doubt
