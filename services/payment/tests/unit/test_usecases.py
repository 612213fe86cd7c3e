"""The verbs against an in-memory database."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from payment_fakes import CODE, NOW, FakeTx, a_delivery, a_pix, an_event, completed_ride

from contracts.payment import MismatchKind, PaymentConfirmed, PaymentMismatchFound
from kernel.actor import SYSTEM, Actor
from kernel.ids import new_id
from kernel.money import ZERO
from kernel.refusals import NotFound
from payment.domain.charge import Charge, ChargeStatus
from payment.domain.intent import Intent, IntentStatus
from payment.domain.provider import ProviderRefund, RefundState
from payment.domain.received import Source
from payment.domain.refund import PaymentNotRefundable, RefundStatus
from payment.domain.ride import Ride, RideNotPayableYet, RideState
from payment.domain.webhook import EventType, Outcome
from payment.usecases.confirm_pix import confirm_pix
from payment.usecases.expire_charge import expire_charge
from payment.usecases.follow_ride import follow_ride
from payment.usecases.note_charge_code import note_charge_code
from payment.usecases.open_intent import open_intent
from payment.usecases.report_send import report_send
from payment.usecases.request_refund import request_refund
from payment.usecases.settle_refund import settle_refund
from payment.usecases.store_webhook import store_webhook

ADMIN = Actor(user_id=new_id(), user_type="admin")


async def an_open_payment(tx: FakeTx) -> tuple[Intent, Charge]:
    ride = completed_ride()
    await follow_ride(tx, ride=ride)
    intent, charge, _ = await open_intent(tx, ride_id=ride.id, now=NOW, ttl_s=900.0)
    return intent, charge


async def a_paid_payment(tx: FakeTx) -> tuple[Intent, Charge]:
    intent, charge = await an_open_payment(tx)
    await confirm_pix(tx, received=a_pix(txid=charge.txid), source=Source.WEBHOOK, now=NOW)
    return tx.intents.intents[intent.id], tx.intents.charges[intent.id]


async def test_a_ride_has_one_open_payment() -> None:
    tx = FakeTx()
    intent, charge = await an_open_payment(tx)
    again = await open_intent(tx, ride_id=intent.ride_id, now=NOW, ttl_s=900.0)
    assert again == (intent, charge, False)


async def test_an_expired_payment_is_followed_by_a_new_one() -> None:
    tx = FakeTx()
    intent, _ = await an_open_payment(tx)
    assert await expire_charge(tx, intent_id=intent.id, now=NOW)
    second, charge, new = await open_intent(tx, ride_id=intent.ride_id, now=NOW, ttl_s=900.0)
    assert new
    assert second.id != intent.id
    assert charge.payment_intent_id == second.id


async def test_an_unknown_ride_has_nothing_to_pay() -> None:
    with pytest.raises(NotFound):
        await open_intent(FakeTx(), ride_id=new_id(), now=NOW, ttl_s=900.0)


async def test_an_unfinished_ride_cannot_be_paid() -> None:
    tx, ride = FakeTx(), Ride(id=new_id(), passenger_id=new_id())
    await follow_ride(tx, ride=ride)
    with pytest.raises(RideNotPayableYet):
        await open_intent(tx, ride_id=ride.id, now=NOW, ttl_s=900.0)


async def test_a_completed_ride_does_not_open_again() -> None:
    tx, ride = FakeTx(), completed_ride()
    await follow_ride(tx, ride=ride)
    await follow_ride(tx, ride=replace(ride, state=RideState.OPEN))
    assert (await tx.rides.get(ride.id)) == ride


async def test_the_code_is_stored_and_told_once() -> None:
    tx = FakeTx()
    intent, _ = await an_open_payment(tx)
    assert await note_charge_code(tx, intent_id=intent.id, pix_copy_paste=CODE, qr_code="data:")
    assert not await note_charge_code(tx, intent_id=intent.id, pix_copy_paste=CODE, qr_code="data:")
    assert tx.told() == ["payment.intent.created"]


async def test_the_code_of_a_charge_that_ended_is_not_told() -> None:
    tx = FakeTx()
    intent, _ = await an_open_payment(tx)
    await expire_charge(tx, intent_id=intent.id, now=NOW)
    assert not await note_charge_code(tx, intent_id=intent.id, pix_copy_paste=CODE, qr_code="data:")


async def test_a_pix_confirms_its_charge_once() -> None:
    tx = FakeTx()
    intent, charge = await an_open_payment(tx)
    pix = a_pix(txid=charge.txid)
    assert await confirm_pix(tx, received=pix, source=Source.WEBHOOK, now=NOW) is Outcome.CONFIRMED
    assert await confirm_pix(tx, received=pix, source=Source.JANITOR, now=NOW) is Outcome.DUPLICATE
    [fact] = tx.facts
    assert isinstance(fact, PaymentConfirmed)
    assert (fact.e2e_id, fact.amount, fact.commission) == (pix.e2e_id, Decimal("50.00"), Decimal("10.00"))
    assert tx.intents.charges[intent.id].status is ChargeStatus.COMPLETED


async def test_a_second_pix_is_held_for_the_passenger() -> None:
    tx = FakeTx()
    intent, charge = await a_paid_payment(tx)
    outcome = await confirm_pix(tx, received=a_pix(txid=charge.txid), source=Source.WEBHOOK, now=NOW)
    fact = tx.facts[-1]
    assert outcome is Outcome.HELD
    assert isinstance(fact, PaymentMismatchFound)
    assert (fact.kind, fact.passenger_id) == (MismatchKind.SECOND, intent.passenger_id)


async def test_a_late_pix_is_held_for_the_passenger() -> None:
    tx = FakeTx()
    intent, charge = await an_open_payment(tx)
    await expire_charge(tx, intent_id=intent.id, now=NOW)
    await confirm_pix(tx, received=a_pix(txid=charge.txid), source=Source.JANITOR, now=NOW)
    fact = tx.facts[-1]
    assert isinstance(fact, PaymentMismatchFound)
    assert (fact.kind, fact.amount) == (MismatchKind.LATE, Decimal("50.00"))
    assert tx.intents.intents[intent.id].status is IntentStatus.EXPIRED


async def test_a_surplus_confirms_the_fare_and_holds_the_rest() -> None:
    tx = FakeTx()
    _, charge = await an_open_payment(tx)
    await confirm_pix(tx, received=a_pix(txid=charge.txid, amount="53.10"), source=Source.WEBHOOK, now=NOW)
    confirmed, surplus = tx.facts
    assert isinstance(confirmed, PaymentConfirmed)
    assert isinstance(surplus, PaymentMismatchFound)
    assert (confirmed.amount, surplus.amount) == (Decimal("50.00"), Decimal("3.10"))


async def test_a_short_pix_leaves_the_payment_pending() -> None:
    tx = FakeTx()
    intent, charge = await an_open_payment(tx)
    await confirm_pix(tx, received=a_pix(txid=charge.txid, amount="1.00"), source=Source.WEBHOOK, now=NOW)
    assert tx.intents.intents[intent.id].status is IntentStatus.PENDING
    assert tx.told() == ["payment.mismatch_found"]


@pytest.mark.parametrize("txid", [None, "a" * 32])
async def test_a_pix_without_a_charge_goes_to_suspense(txid: str | None) -> None:
    tx = FakeTx()
    await confirm_pix(tx, received=a_pix(txid=txid), source=Source.WEBHOOK, now=NOW)
    [fact] = tx.facts
    assert isinstance(fact, PaymentMismatchFound)
    assert (fact.kind, fact.passenger_id) == (MismatchKind.UNMATCHED, None)


async def test_a_paid_charge_does_not_expire() -> None:
    tx = FakeTx()
    intent, _ = await a_paid_payment(tx)
    assert not await expire_charge(tx, intent_id=intent.id, now=NOW)
    assert tx.told() == ["payment.confirmed"]


async def test_webhooks_are_stored_as_they_come() -> None:
    tx = FakeTx()
    delivery = a_delivery()
    await store_webhook(tx, delivery=delivery, events=[an_event(e2e_id="E1"), an_event(e2e_id="E1")])
    assert len(tx.webhooks.rows) == 2
    assert tx.webhooks.deliveries == {delivery.id: delivery}


async def test_a_send_is_passed_on() -> None:
    tx = FakeTx()
    event = an_event(event_type=EventType.SEND, reference="abc", status="REALIZADO")
    await report_send(tx, event=event, now=NOW)
    assert tx.told() == ["send.reported"]


async def request(tx: FakeTx, payment_id: UUID, amount: str = "20.00", actor: Actor = ADMIN) -> UUID:
    refund = await request_refund(
        tx, payment_id=payment_id, amount=Decimal(amount), reason="goodwill", actor=actor, now=NOW
    )
    return refund.id


async def test_a_refund_is_asked_for_and_audited() -> None:
    tx = FakeTx()
    intent, _ = await a_paid_payment(tx)
    await request(tx, intent.id)
    assert tx.told()[-2:] == ["payment.refund_requested", "audit.recorded"]


async def test_nobody_refunds_what_does_not_exist_or_was_not_paid() -> None:
    tx = FakeTx()
    intent, _ = await an_open_payment(tx)
    with pytest.raises(NotFound):
        await request(tx, new_id())
    with pytest.raises(NotFound):
        await request(tx, intent.id, actor=SYSTEM)
    with pytest.raises(PaymentNotRefundable):
        await request(tx, intent.id)


@pytest.mark.parametrize(
    ("state", "status", "refunded"),
    [
        (RefundState.DONE, RefundStatus.REFUNDED, Decimal("20.00")),
        (RefundState.REFUSED, RefundStatus.FAILED, ZERO),
        (RefundState.PROCESSING, RefundStatus.PROCESSING, ZERO),
    ],
)
async def test_a_refund_follows_the_bank(state: RefundState, status: RefundStatus, refunded: Decimal) -> None:
    tx = FakeTx()
    intent, _ = await a_paid_payment(tx)
    refund_id = await request(tx, intent.id)
    answer = ProviderRefund(state=state, return_id="D1")
    for _ in range(2):
        now_is = await settle_refund(tx, refund_id=refund_id, payment_id=intent.id, answer=answer, now=NOW)
        assert now_is is status
    assert tx.intents.intents[intent.id].refunded == refunded
