"""Payment's rules, every branch: states, verdicts, refunds, what is kept of a webhook."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment_fakes import CODE, NOW, POLICY, a_pix, completed_ride

from contracts.payment import MismatchKind
from kernel.ids import new_id
from payment.domain import charge as charges
from payment.domain import intent as intents
from payment.domain import refund as refunds
from payment.domain.charge import Charge, ChargeStatus
from payment.domain.intent import IllegalPaymentMove, Intent, IntentStatus
from payment.domain.received import Verdict, judge, mismatch_fact
from payment.domain.redaction import redacted, storable
from payment.domain.refund import PaymentNotRefundable, Refund, RefundExceedsPayment, RefundStatus
from payment.domain.ride import Ride, RideNotPayableYet, RideState
from payment.domain.webhook import payload_hash


def an_intent(**changes: Any) -> Intent:
    intent = Intent.open(completed_ride(), intent_id=new_id(), now=NOW, ttl_s=900.0)
    return replace(intent, **changes)


def a_charge(**changes: Any) -> Charge:
    return replace(Charge.of(an_intent(), charge_id=new_id()), **changes)


@pytest.mark.parametrize(("start", "end"), [*product(IntentStatus, IntentStatus)])
def test_every_pair_of_intent_states_is_allowed_or_refused(start: IntentStatus, end: IntentStatus) -> None:
    intent = an_intent(status=start)
    if end in intents.MOVES[start]:
        assert intent._move(end).status is end
    else:
        with pytest.raises(IllegalPaymentMove):
            intent._move(end)


@pytest.mark.parametrize(("start", "end"), [*product(ChargeStatus, ChargeStatus)])
def test_every_pair_of_charge_states_is_allowed_or_refused(start: ChargeStatus, end: ChargeStatus) -> None:
    charge = a_charge(status=start)
    if end in charges.MOVES[start]:
        assert charge._move(end).status is end
    else:
        with pytest.raises(IllegalPaymentMove):
            charge._move(end)


@pytest.mark.parametrize(("start", "end"), [*product(RefundStatus, RefundStatus)])
def test_every_pair_of_refund_states_is_allowed_or_refused(start: RefundStatus, end: RefundStatus) -> None:
    refund = replace(a_refund(), status=start)
    if end in refunds.MOVES[start]:
        assert refund._move(end).status is end
    else:
        with pytest.raises(IllegalPaymentMove):
            refund._move(end)


def test_an_intent_copies_what_the_ride_says() -> None:
    ride = completed_ride(fare="33.33", commission="6.66")
    intent = Intent.open(ride, intent_id=new_id(), now=NOW, ttl_s=60.0)
    assert (intent.amount, intent.commission) == (Decimal("33.33"), Decimal("6.66"))
    assert (intent.passenger_id, intent.driver_id) == (ride.passenger_id, ride.driver_id)
    assert intent.expires_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    "ride",
    [
        Ride(id=new_id(), passenger_id=new_id(), driver_id=new_id()),
        Ride(id=new_id(), passenger_id=new_id(), state=RideState.CLOSED),
        replace(completed_ride(), fare=Decimal("0.00")),
        replace(completed_ride(), driver_id=None),
    ],
)
def test_a_ride_that_is_not_finished_or_costs_nothing_cannot_be_paid(ride: Ride) -> None:
    with pytest.raises(RideNotPayableYet):
        Intent.open(ride, intent_id=new_id(), now=NOW, ttl_s=60.0)


def test_a_txid_fits_efi_and_is_derived_from_the_id() -> None:
    charge = a_charge()
    assert charge.txid == charge.id.hex
    assert charge.txid.isalnum()
    assert 26 <= len(charge.txid) <= 35


def test_a_code_for_a_charge_that_ended_is_refused() -> None:
    charge = a_charge(status=ChargeStatus.EXPIRED)
    with pytest.raises(IllegalPaymentMove):
        charge.submit(an_intent(), pix_copy_paste=CODE, qr_code="data:")


def test_a_code_makes_the_charge_payable() -> None:
    intent = an_intent()
    charge, fact = Charge.of(intent, charge_id=new_id()).submit(intent, pix_copy_paste=CODE, qr_code="data:")
    assert charge.submitted
    assert (fact.txid, fact.pix_copy_paste, fact.amount) == (charge.txid, CODE, intent.amount)


@pytest.mark.parametrize(
    ("status", "paid", "verdict"),
    [
        (ChargeStatus.ACTIVE, "50.00", Verdict(confirms=True)),
        (
            ChargeStatus.ACTIVE,
            "60.00",
            Verdict(confirms=True, mismatch=MismatchKind.SURPLUS, held=Decimal("10.00")),
        ),
        (
            ChargeStatus.ACTIVE,
            "49.99",
            Verdict(confirms=False, mismatch=MismatchKind.SHORT, held=Decimal("49.99")),
        ),
        (
            ChargeStatus.COMPLETED,
            "50.00",
            Verdict(confirms=False, mismatch=MismatchKind.SECOND, held=Decimal("50.00")),
        ),
        (
            ChargeStatus.EXPIRED,
            "50.00",
            Verdict(confirms=False, mismatch=MismatchKind.LATE, held=Decimal("50.00")),
        ),
        (None, "50.00", Verdict(confirms=False, mismatch=MismatchKind.UNMATCHED, held=Decimal("50.00"))),
    ],
)
def test_each_kind_of_pix_has_its_verdict(status: ChargeStatus | None, paid: str, verdict: Verdict) -> None:
    charge = None if status is None else a_charge(status=status)
    assert judge(a_pix(txid="t", amount=paid), charge=charge) == verdict


@given(
    paid=st.decimals(min_value="0.01", max_value="9999.99", places=2),
    status=st.sampled_from([None, *ChargeStatus]),
)
def test_no_centavo_of_a_received_pix_is_lost(paid: Decimal, status: ChargeStatus | None) -> None:
    charge = None if status is None else a_charge(status=status)
    verdict = judge(a_pix(txid="t", amount=f"{paid:.2f}"), charge=charge)
    fare = charge.amount if charge is not None and verdict.confirms else Decimal(0)
    assert fare + verdict.held == paid


def test_a_surplus_is_told_apart_from_its_confirmation() -> None:
    received, intent = a_pix(txid="t", amount="60.00"), an_intent()
    fact = mismatch_fact(received, judge(received, charge=a_charge()), intent=intent, now=NOW)
    assert fact.external_id == f"{received.e2e_id}:surplus"
    assert (fact.amount, fact.passenger_id) == (Decimal("10.00"), intent.passenger_id)
    assert fact.key() == str(intent.ride_id)


def test_an_unmatched_pix_is_keyed_by_itself() -> None:
    received = a_pix(txid=None)
    fact = mismatch_fact(received, judge(received, charge=None), intent=None, now=NOW)
    assert (fact.key(), fact.external_id, fact.passenger_id) == (received.e2e_id, received.e2e_id, None)


def test_a_pix_that_fits_has_no_mismatch() -> None:
    with pytest.raises(ValueError, match="fits its charge"):
        mismatch_fact(a_pix(txid="t"), Verdict(confirms=True), intent=an_intent(), now=NOW)


def a_refund(intent: Intent | None = None, *, amount: str = "20.00", open_amount: str = "0.00") -> Refund:
    refund, _ = Refund.request(
        intent or an_intent(status=IntentStatus.CONFIRMED),
        refund_id=new_id(),
        e2e_id="E1",
        amount=Decimal(amount),
        open_amount=Decimal(open_amount),
        reason="goodwill",
        requested_by=new_id(),
        now=NOW,
    )
    return refund


def test_refunds_end_in_refunded_only_when_nothing_is_left() -> None:
    intent = an_intent(status=IntentStatus.CONFIRMED)
    first, intent, fact = a_refund(intent).finish(intent, return_id="D1", now=NOW)
    assert (first.status, intent.status, fact.full) == (
        RefundStatus.REFUNDED,
        IntentStatus.CONFIRMED,
        False,
    )
    _, intent, fact = a_refund(intent, amount="30.00").finish(intent, return_id="D2", now=NOW)
    assert (intent.status, fact.full, fact.total_refunded) == (IntentStatus.REFUNDED, True, Decimal("50.00"))


def test_open_refunds_count_towards_the_limit() -> None:
    with pytest.raises(RefundExceedsPayment):
        a_refund(an_intent(status=IntentStatus.CONFIRMED), amount="20.01", open_amount="30.00")


def test_a_payment_that_is_refunded_in_full_has_nothing_left() -> None:
    with pytest.raises(RefundExceedsPayment):
        a_refund(an_intent(status=IntentStatus.REFUNDED, refunded=Decimal("50.00")))


def test_an_unpaid_payment_cannot_be_refunded() -> None:
    with pytest.raises(PaymentNotRefundable):
        a_refund(an_intent())


def test_an_intent_never_gives_back_more_than_it_got() -> None:
    with pytest.raises(IllegalPaymentMove):
        an_intent(status=IntentStatus.CONFIRMED).refund(amount=Decimal("50.01"))


def test_a_failed_refund_says_why() -> None:
    refund = a_refund().process().fail(reason="refused_by_bank", now=NOW)
    assert (refund.status, refund.failure_reason) == (RefundStatus.FAILED, "refused_by_bank")
    assert refund.efi_id == refund.id.hex


def test_the_payer_is_not_stored() -> None:
    item = {
        "endToEndId": "E1",
        "infoPagador": "x",
        "gnExtras": {"pagador": {"cpf": "12345678909"}, "tarifa": "0.01"},
        "devolucoes": [{"id": "a\x00b", "favorecido": {"nome": "y"}}],
    }
    assert redacted(item) == {
        "endToEndId": "E1",
        "gnExtras": {"tarifa": "0.01"},
        "devolucoes": [{"id": "ab"}],
    }


@given(st.text())
def test_any_text_becomes_storable(text: str) -> None:
    stored = storable(text + "\ud800\x00")
    assert "\x00" not in stored
    assert stored.encode()


def test_equal_notifications_have_equal_hashes() -> None:
    assert payload_hash({"a": 1, "b": 2}) == payload_hash({"b": 2, "a": 1}) != payload_hash({"a": 1})


def test_retries_wait_longer_up_to_a_limit() -> None:
    waits = [POLICY.retry_at(NOW, attempts=n) - NOW for n in (0, 1, 30)]
    assert waits == [timedelta(seconds=0.5), timedelta(seconds=1), timedelta(seconds=60)]
