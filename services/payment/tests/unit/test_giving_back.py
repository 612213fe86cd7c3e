"""Money that goes back: by rule, by admins, from outside; late refusals and contradictions."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from payment_fakes import NOW, FakeDeps, a_pix, an_event, completed_ride
from prometheus_client import REGISTRY

from contracts.payment import (
    ClaimKind,
    MismatchKind,
    PaymentClaimRejected,
    PaymentCreditRefunded,
    PaymentMismatchFound,
    PaymentRefunded,
    PaymentRefundFailed,
)
from kernel.actor import SYSTEM, Actor
from kernel.ids import new_id
from kernel.refusals import NotFound
from payment.domain.charge import Charge
from payment.domain.devolution import Devolution, ProviderRefund, RefundState
from payment.domain.intent import Intent, IntentStatus
from payment.domain.provider import ProviderRefused, ProviderUnclear
from payment.domain.received import Received, Source
from payment.domain.refund import Refund, RefundExceedsPayment, RefundOrigin, RefundStatus, RefundTarget
from payment.domain.ride import Ride
from payment.domain.webhook import EventType, Outcome
from payment.effects.apply_received import apply_received
from payment.effects.process_webhooks import process_webhooks
from payment.effects.reconcile_pix_charges import reconcile_pix_charges
from payment.effects.settle_devolutions import settle_devolutions
from payment.effects.submit_refunds import submit_refunds
from payment.effects.watch_refunds import watch_refunds
from payment.usecases.adopt_devolution import adopt_devolution
from payment.usecases.confirm_pix import confirm_pix
from payment.usecases.expire_charge import expire_charge
from payment.usecases.follow_ride import follow_ride
from payment.usecases.open_intent import open_intent
from payment.usecases.request_credit_refund import request_credit_refund
from payment.usecases.request_refund import request_refund
from payment.usecases.settle_refund import settle_refund

ADMIN = Actor(user_id=new_id(), user_type="admin")


async def an_open_payment(deps: FakeDeps, *, ride: Ride | None = None) -> tuple[Intent, Charge]:
    ride = ride or completed_ride()
    await follow_ride(deps.tx, ride=ride)
    intent, charge, _ = await open_intent(deps.tx, ride_id=ride.id, now=deps.now(), ttl_s=900.0)
    return intent, charge


async def book(deps: FakeDeps, pix: Received, **changes: bool) -> Outcome:
    """The Pix reaches the bank, and us."""
    deps.provider.pay(pix)
    return await confirm_pix(deps.tx, received=pix, source=Source.WEBHOOK, now=deps.now(), **changes)


async def a_paid_payment(deps: FakeDeps, *, amount: str = "50.00") -> tuple[Intent, Received]:
    intent, charge = await an_open_payment(deps)
    pix = a_pix(txid=charge.txid, amount=amount)
    await book(deps, pix)
    return intent, pix


def refunds(deps: FakeDeps) -> list[Refund]:
    return list(deps.tx.refunds.rows.values())


def decide(deps: FakeDeps, state: RefundState) -> None:
    """The bank decides about every refund that it was asked for."""
    for efi_id in deps.provider.refunds:
        deps.provider.refunds[efi_id] = ProviderRefund(state=state, return_id=f"D{efi_id[:31]}")


async def follow(deps: FakeDeps, state: RefundState) -> None:
    await submit_refunds(deps)
    decide(deps, state)
    deps.advance(3600)
    await submit_refunds(deps)


def outside(deps: FakeDeps, pix: Received, amount: str, state: RefundState = RefundState.DONE) -> Devolution:
    number = sum(len(made) for made in deps.provider.outside.values()) + 1
    answer = ProviderRefund(state=state, return_id=f"D{number}")
    made = Devolution(efi_id=f"app{number}", amount=Decimal(amount), answer=answer)
    deps.provider.outside.setdefault(pix.e2e_id, []).append(made)
    return made


async def test_a_second_payment_goes_back_by_itself_after_its_mismatch_was_told() -> None:
    deps = FakeDeps()
    intent, first = await a_paid_payment(deps)
    second = a_pix(txid=first.txid)
    assert await book(deps, second) is Outcome.HELD
    [refund] = refunds(deps)
    assert (refund.target, refund.origin, refund.e2e_id) == (
        RefundTarget.CREDIT,
        RefundOrigin.RULE,
        second.e2e_id,
    )
    assert refund.requested_by is None
    await follow(deps, RefundState.DONE)
    held, credited = deps.tx.facts[-2:]
    assert isinstance(held, PaymentMismatchFound)
    assert isinstance(credited, PaymentCreditRefunded)
    assert (credited.external_id, credited.amount, credited.total_refunded) == (
        held.external_id,
        held.amount,
        held.amount,
    )
    assert (credited.passenger_id, credited.payment_id) == (intent.passenger_id, intent.id)
    assert held.key() == credited.key(), "told in the order in which it happened"
    assert deps.tx.intents.intents[intent.id].status is IntentStatus.CONFIRMED


async def test_by_setting_a_second_payment_stays_the_passengers_credit() -> None:
    deps = FakeDeps()
    _, first = await a_paid_payment(deps)
    await book(deps, a_pix(txid=first.txid), refund_second=False)
    assert refunds(deps) == []


async def test_a_late_pix_of_a_paid_ride_goes_back_at_once() -> None:
    deps = FakeDeps()
    ride = completed_ride()
    old, old_charge = await an_open_payment(deps, ride=ride)
    await expire_charge(deps.tx, intent_id=old.id, now=NOW)
    _, new_charge = await an_open_payment(deps, ride=ride)
    await book(deps, a_pix(txid=new_charge.txid))
    late = a_pix(txid=old_charge.txid)
    await book(deps, late)
    assert [(refund.e2e_id, refund.amount) for refund in refunds(deps)] == [(late.e2e_id, late.amount)]


@pytest.mark.parametrize("amount", ["50.00", "49.99"])
async def test_late_or_short_money_is_kept_while_the_ride_is_unpaid_and_goes_back_when_it_is_paid(
    amount: str,
) -> None:
    deps = FakeDeps()
    ride = completed_ride()
    old, old_charge = await an_open_payment(deps, ride=ride)
    early = a_pix(txid=old_charge.txid, amount=amount)
    if amount == "49.99":
        await book(deps, early)
        await expire_charge(deps.tx, intent_id=old.id, now=NOW)
    else:
        await expire_charge(deps.tx, intent_id=old.id, now=NOW)
        await book(deps, early)
    assert refunds(deps) == []
    _, new_charge = await an_open_payment(deps, ride=ride)
    await book(deps, a_pix(txid=new_charge.txid))
    assert [refund.e2e_id for refund in refunds(deps)] == [early.e2e_id]
    await book(deps, a_pix(txid=new_charge.txid))
    assert len(refunds(deps)) == 2, "each once"


async def test_a_surplus_is_no_second_payment_and_stays() -> None:
    deps = FakeDeps()
    await a_paid_payment(deps, amount="53.10")
    assert refunds(deps) == []


async def test_a_refund_by_rule_that_the_bank_rejects_is_left_to_people() -> None:
    deps = FakeDeps()
    intent, first = await a_paid_payment(deps)
    second = a_pix(txid=first.txid)
    await book(deps, second)
    await follow(deps, RefundState.REFUSED)
    [rule] = refunds(deps)
    failed = deps.tx.facts[-1]
    assert isinstance(failed, PaymentRefundFailed), "a person hears of it"
    assert (failed.refund_id, failed.payment_id, failed.passenger_id) == (
        rule.id,
        intent.id,
        intent.passenger_id,
    )
    assert (failed.amount, failed.reason) == (second.amount, "refused_by_bank")
    await book(deps, a_pix(txid=first.txid))
    assert [refund.e2e_id for refund in refunds(deps)].count(second.e2e_id) == 1
    again = await request_credit_refund(
        deps.tx, e2e_id=second.e2e_id, amount=second.amount, reason="by hand", actor=ADMIN, now=NOW
    )
    assert again.status is RefundStatus.REQUESTED


@pytest.mark.parametrize("txid", [None, "f" * 32])
async def test_money_in_suspense_goes_back_in_parts_and_never_more_than_there_is(txid: str | None) -> None:
    deps = FakeDeps()
    pix = a_pix(txid=txid)
    await book(deps, pix)

    async def ask(amount: str) -> Refund:
        return await request_credit_refund(
            deps.tx, e2e_id=pix.e2e_id, amount=Decimal(amount), reason="sent by mistake", actor=ADMIN, now=NOW
        )

    await ask("20.00")
    await ask("30.00")
    with pytest.raises(RefundExceedsPayment):
        await ask("0.01")
    await follow(deps, RefundState.DONE)
    credited = [fact for fact in deps.tx.facts if isinstance(fact, PaymentCreditRefunded)]
    assert [fact.total_refunded for fact in credited] == [Decimal("20.00"), Decimal("50.00")]
    assert {fact.passenger_id for fact in credited} == {None}
    assert {fact.external_id for fact in credited} == {pix.e2e_id}
    assert deps.tx.told().count("audit.recorded") == 2


async def test_a_refused_refund_of_money_in_suspense_is_counted_and_its_money_stays_held() -> None:
    """No payment is known for it: no fact names it, the alert does."""

    def counted() -> float:
        labels = {"target": "credit", "status": "FAILED"}
        return REGISTRY.get_sample_value("payment_refunds_total", labels) or 0.0

    deps = FakeDeps()
    pix = a_pix(txid=None)
    await book(deps, pix)
    before, told = counted(), deps.tx.told()
    for times in (1, 2):
        refund = await request_credit_refund(
            deps.tx, e2e_id=pix.e2e_id, amount=pix.amount, reason="by hand", actor=ADMIN, now=NOW
        )
        await follow(deps, RefundState.REFUSED)
        assert deps.tx.refunds.rows[refund.id].status is RefundStatus.FAILED
        assert counted() == before + times
    assert set(deps.tx.told()) - set(told) == {"audit.recorded"}


async def test_the_oldest_open_refund_is_a_metric() -> None:
    async def age_s() -> float | None:
        assert await watch_refunds(deps) == 0
        return REGISTRY.get_sample_value("payment_oldest_open_refund_seconds")

    deps = FakeDeps()
    assert await age_s() == 0.0
    await a_fare_refund(deps)
    deps.advance(-5)
    assert await age_s() == 0.0, "a clock that is behind"
    deps.advance(65)
    assert await age_s() == 60.0
    await submit_refunds(deps)
    assert await age_s() == 60.0, "a refund under way is open"
    await follow(deps, RefundState.DONE)
    assert await age_s() == 0.0


async def test_nobody_gives_back_what_is_not_there_or_was_a_fare() -> None:
    deps = FakeDeps()
    _, pix = await a_paid_payment(deps)

    async def ask(e2e_id: str, actor: Actor = ADMIN) -> None:
        await request_credit_refund(
            deps.tx, e2e_id=e2e_id, amount=Decimal("1.00"), reason="x", actor=actor, now=NOW
        )

    with pytest.raises(NotFound):
        await ask("E0")
    with pytest.raises(NotFound):
        await ask(pix.e2e_id, SYSTEM)
    with pytest.raises(RefundExceedsPayment):
        await ask(pix.e2e_id)


async def a_fare_refund(deps: FakeDeps, amount: str = "50.00") -> tuple[Intent, Received, Refund]:
    intent, pix = await a_paid_payment(deps)
    refund = await request_refund(
        deps.tx, payment_id=intent.id, amount=Decimal(amount), reason="goodwill", actor=ADMIN, now=NOW
    )
    return intent, pix, refund


async def test_a_refund_that_is_rejected_late_fails_and_its_amount_can_be_refunded_again() -> None:
    deps = FakeDeps()
    intent, _, refund = await a_fare_refund(deps)
    await submit_refunds(deps)
    assert deps.tx.refunds.rows[refund.id].status is RefundStatus.PROCESSING
    deps.advance(86_400)
    decide(deps, RefundState.REFUSED)
    await submit_refunds(deps)
    assert deps.tx.refunds.rows[refund.id].status is RefundStatus.FAILED
    failed = deps.tx.facts[-1]
    assert isinstance(failed, PaymentRefundFailed)
    assert (failed.refund_id, failed.amount, failed.reason) == (refund.id, refund.amount, "refused_by_bank")
    again = await request_refund(
        deps.tx, payment_id=intent.id, amount=intent.amount, reason="again", actor=ADMIN, now=NOW
    )
    assert again.efi_id != refund.efi_id


@pytest.mark.parametrize(
    ("first", "then", "status"),
    [
        (RefundState.DONE, RefundState.REFUSED, RefundStatus.REFUNDED),
        (RefundState.REFUSED, RefundState.DONE, RefundStatus.FAILED),
    ],
)
async def test_a_refund_that_ends_one_way_and_then_the_other_moves_nothing_and_is_told_once(
    first: RefundState, then: RefundState, status: RefundStatus
) -> None:
    deps = FakeDeps()
    _, pix, refund = await a_fare_refund(deps)
    await follow(deps, first)
    moved = [fact for fact in deps.tx.facts if isinstance(fact, PaymentRefunded | PaymentRefundFailed)]
    answer = ProviderRefund(state=then, return_id="D1")
    deps.provider.outside[pix.e2e_id] = [
        Devolution(efi_id=refund.efi_id, amount=refund.amount, answer=answer)
    ]
    for _ in range(2):
        await deps.tx.webhooks.add([an_event(event_type=EventType.REFUND, e2e_id=pix.e2e_id)])
        await process_webhooks(deps)
    assert deps.tx.refunds.rows[refund.id].status is status
    after = [fact for fact in deps.tx.facts if isinstance(fact, PaymentRefunded | PaymentRefundFailed)]
    assert after == moved
    [contradicted] = [fact for fact in deps.tx.facts if isinstance(fact, PaymentClaimRejected)]
    assert (contradicted.kind, contradicted.claimed) == (ClaimKind.REFUND_CONTRADICTED, refund.amount)


async def test_a_stale_answer_about_a_finished_refund_is_no_contradiction() -> None:
    deps = FakeDeps()
    intent, _, refund = await a_fare_refund(deps)
    await follow(deps, RefundState.DONE)
    for state in (RefundState.PROCESSING, RefundState.DONE):
        answer = ProviderRefund(state=state, return_id="D1")
        await settle_refund(deps.tx, refund_id=refund.id, payment_id=intent.id, answer=answer, now=NOW)
    assert "payment.claim_rejected" not in deps.tx.told()


async def test_a_webhook_of_our_refund_settles_it_before_its_next_question() -> None:
    deps = FakeDeps()
    intent, pix, refund = await a_fare_refund(deps, "20.00")
    await submit_refunds(deps)
    answer = ProviderRefund(state=RefundState.DONE, return_id="D1")
    deps.provider.outside[pix.e2e_id] = [
        Devolution(efi_id=refund.efi_id, amount=refund.amount, answer=answer)
    ]
    await deps.tx.webhooks.add([an_event(event_type=EventType.REFUND, e2e_id=pix.e2e_id)])
    await process_webhooks(deps)
    assert deps.tx.intents.intents[intent.id].refunded == Decimal("20.00")
    assert list(deps.tx.webhooks.outcomes.values()) == [Outcome.REFUND_NOTED]
    assert len(refunds(deps)) == 1


async def test_a_refund_made_outside_is_adopted_once_and_counts_towards_the_cap() -> None:
    deps = FakeDeps()
    intent, pix = await a_paid_payment(deps)
    outside(deps, pix, "30.00")
    for _ in range(2):
        await deps.tx.webhooks.add([an_event(event_type=EventType.REFUND, e2e_id=pix.e2e_id)])
        await process_webhooks(deps)
    [refund] = refunds(deps)
    assert (refund.origin, refund.reason, refund.status) == (
        RefundOrigin.OUTSIDE,
        "outside",
        RefundStatus.REFUNDED,
    )
    [fact] = [fact for fact in deps.tx.facts if isinstance(fact, PaymentRefunded)]
    assert (fact.amount, fact.return_id, fact.refund_id) == (Decimal("30.00"), "D1", refund.id)
    with pytest.raises(RefundExceedsPayment):
        await request_refund(
            deps.tx, payment_id=intent.id, amount=Decimal("20.01"), reason="x", actor=ADMIN, now=NOW
        )


async def test_a_refund_made_outside_before_its_pix_was_told_is_found_with_it() -> None:
    deps = FakeDeps()
    intent, charge = await an_open_payment(deps)
    pix = a_pix(txid=charge.txid)
    deps.provider.pay(pix)
    outside(deps, pix, "50.00")
    await deps.tx.webhooks.add([an_event(event_type=EventType.REFUND, e2e_id=pix.e2e_id)])
    await process_webhooks(deps)
    assert deps.tx.told()[-2:] == ["payment.confirmed", "payment.refunded"]
    assert deps.tx.intents.intents[intent.id].status is IntentStatus.REFUNDED


async def test_an_open_refund_from_outside_counts_and_is_followed_by_its_own_id() -> None:
    deps = FakeDeps()
    _, pix = await a_paid_payment(deps)
    made = outside(deps, pix, "30.00", RefundState.PROCESSING)
    received = await deps.provider.find_received(pix.e2e_id)
    assert received is not None
    assert await settle_devolutions(deps, received=received)
    [refund] = refunds(deps)
    assert (refund.status, refund.efi_id) == (RefundStatus.PROCESSING, made.efi_id)
    deps.provider.refunds[made.efi_id] = ProviderRefund(state=RefundState.DONE, return_id="D1")
    await submit_refunds(deps)
    assert deps.provider.calls[-1] == f"find refund {made.efi_id}"
    assert refunds(deps)[0].status is RefundStatus.REFUNDED


async def test_a_rejected_refund_from_outside_is_nothing_to_adopt() -> None:
    deps = FakeDeps()
    _, pix = await a_paid_payment(deps)
    made = outside(deps, pix, "30.00", RefundState.REFUSED)
    assert await adopt_devolution(deps.tx, e2e_id=pix.e2e_id, devolution=made, now=NOW)
    assert refunds(deps) == []


async def test_a_refund_from_outside_takes_held_money_first_then_the_fare() -> None:
    deps = FakeDeps()
    _, pix = await a_paid_payment(deps, amount="60.00")
    made = outside(deps, pix, "25.00")
    assert await adopt_devolution(deps.tx, e2e_id=pix.e2e_id, devolution=made, now=NOW)
    assert [(refund.target, refund.amount) for refund in refunds(deps)] == [
        (RefundTarget.CREDIT, Decimal("10.00")),
        (RefundTarget.FARE, Decimal("15.00")),
    ]
    assert deps.tx.told()[-2:] == ["payment.credit_refunded", "payment.refunded"]


async def test_a_refund_from_outside_of_money_in_suspense_is_a_credit_refund() -> None:
    deps = FakeDeps()
    pix = a_pix(txid=None)
    await book(deps, pix)
    made = outside(deps, pix, "50.00")
    assert await adopt_devolution(deps.tx, e2e_id=pix.e2e_id, devolution=made, now=NOW)
    assert deps.tx.told()[-1] == "payment.credit_refunded"


async def test_a_refund_from_outside_waits_for_ours_that_stands_in_its_way() -> None:
    """Efí gives a Pix back once: it refuses ours, and then the other is adopted."""
    deps = FakeDeps()
    intent, pix, ours = await a_fare_refund(deps)
    outside(deps, pix, "50.00")
    deps.provider.failing = ProviderUnclear("down")
    await submit_refunds(deps)
    deps.provider.failing = None
    await deps.tx.webhooks.add([an_event(event_type=EventType.REFUND, e2e_id=pix.e2e_id)])
    await process_webhooks(deps)
    assert deps.tx.webhooks.outcomes == {}
    deps.provider.refusing_refunds = ProviderRefused("valor_invalido")
    deps.advance(60)
    await submit_refunds(deps)
    assert deps.tx.refunds.rows[ours.id].status is RefundStatus.FAILED
    await process_webhooks(deps)
    assert deps.tx.intents.intents[intent.id].status is IntentStatus.REFUNDED
    assert list(deps.tx.webhooks.outcomes.values()) == [Outcome.REFUND_NOTED]


async def test_a_devolution_of_a_pix_that_is_not_booked_waits() -> None:
    deps = FakeDeps()
    made = outside(deps, a_pix(txid=None, e2e_id="E1"), "1.00")
    assert not await adopt_devolution(deps.tx, e2e_id="E1", devolution=made, now=NOW)


async def test_the_janitor_finds_a_refund_that_nobody_told() -> None:
    deps = FakeDeps()
    intent, pix = await a_paid_payment(deps)
    outside(deps, pix, "20.00")
    deps.advance(700)
    assert await reconcile_pix_charges(deps) == 0, "the Pix itself is known"
    assert deps.tx.intents.intents[intent.id].refunded == Decimal("20.00")


async def test_efi_is_asked_about_a_refund_less_and_less_often() -> None:
    deps = FakeDeps()
    _, _, refund = await a_fare_refund(deps)
    asked = []
    for _ in range(20_000):
        if await submit_refunds(deps):
            asked.append(deps.now())
        deps.advance(1)
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert pauses == sorted(pauses)
    assert max(pauses) >= timedelta(seconds=900)
    assert len(asked) < 40
    assert deps.tx.refunds.rows[refund.id].status is RefundStatus.PROCESSING


async def test_what_a_pix_holds_is_told_by_its_kind() -> None:
    deps = FakeDeps()
    _, pix = await a_paid_payment(deps, amount="60.00")
    assert deps.tx.received.rows[pix.e2e_id].external_id == f"{pix.e2e_id}:surplus"
    await apply_received(deps, received=a_pix(txid=pix.txid, e2e_id="E2"), source=Source.JANITOR)
    second = deps.tx.received.rows["E2"]
    assert (second.external_id, second.mismatch) == ("E2", MismatchKind.SECOND)
