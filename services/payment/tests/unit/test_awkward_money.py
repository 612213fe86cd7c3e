"""Money that comes in an awkward way: too little, twice, late, under doubt. None of it may get stuck."""

from dataclasses import replace
from decimal import Decimal

import pytest
from payment_fakes import NOW, FakeDeps, a_pix, an_event, completed_ride

from contracts.payment import MismatchKind, PaymentConfirmed, PaymentMismatchFound
from kernel.actor import Actor
from kernel.ids import new_id
from payment.domain.charge import Charge, ChargeStatus
from payment.domain.intent import Intent, IntentStatus
from payment.domain.provider import ChargeState, ProviderRefund, ProviderRefused, ProviderUnclear, RefundState
from payment.domain.received import Source
from payment.domain.refund import Refund, RefundStatus
from payment.domain.webhook import Outcome
from payment.effects.expire_pix_charges import expire_pix_charges
from payment.effects.process_webhooks import process_webhooks
from payment.effects.reconcile_pix_charges import reconcile_pix_charges
from payment.effects.submit_charges import submit_charges
from payment.effects.submit_refunds import submit_refunds
from payment.usecases.confirm_pix import confirm_pix
from payment.usecases.follow_ride import follow_ride
from payment.usecases.open_intent import open_intent
from payment.usecases.request_refund import request_refund


async def a_submitted_payment(deps: FakeDeps) -> tuple[Intent, Charge]:
    ride = completed_ride()
    await follow_ride(deps.tx, ride=ride)
    intent, _, _ = await open_intent(deps.tx, ride_id=ride.id, now=deps.now(), ttl_s=900.0)
    await submit_charges(deps)
    deps.tx.intents.leases.clear()
    return intent, deps.tx.intents.charges[intent.id]


async def a_refund(deps: FakeDeps) -> Refund:
    intent, charge = await a_submitted_payment(deps)
    await confirm_pix(deps.tx, received=a_pix(txid=charge.txid), source=Source.WEBHOOK, now=NOW)
    admin = Actor(user_id=new_id(), user_type="admin")
    return await request_refund(
        deps.tx, payment_id=intent.id, amount=intent.amount, reason="goodwill", actor=admin, now=NOW
    )


async def test_a_charge_that_was_paid_short_ends_with_its_time_and_the_ride_can_be_paid_again() -> None:
    deps = FakeDeps()
    intent, charge = await a_submitted_payment(deps)
    deps.provider.pay(a_pix(txid=charge.txid, amount="49.99", e2e_id="E1"))
    await deps.tx.webhooks.add([an_event(e2e_id="E1")])
    await process_webhooks(deps)
    assert deps.tx.intents.intents[intent.id].status is IntentStatus.PENDING
    deps.advance(901)
    await expire_pix_charges(deps)
    assert deps.tx.intents.charges[intent.id].status is ChargeStatus.EXPIRED
    again, _, new = await open_intent(deps.tx, ride_id=intent.ride_id, now=deps.now(), ttl_s=900.0)
    assert new
    assert again.id != intent.id
    assert deps.tx.told().count("payment.mismatch_found") == 1


async def test_a_garbled_e2e_id_that_efi_refuses_to_look_up_is_given_up() -> None:
    deps = FakeDeps()
    deps.provider.failing = ProviderRefused("valor_invalido")
    await deps.tx.webhooks.add([an_event(e2e_id="../../etc")])
    for _ in range(deps.policy.not_found_attempts + 1):
        await process_webhooks(deps)
        deps.advance(120)
    assert list(deps.tx.webhooks.outcomes.values()) == [Outcome.NOT_FOUND]


async def test_a_query_that_is_refused_does_not_fail_a_refund_that_is_under_way() -> None:
    deps = FakeDeps()
    refund = await a_refund(deps)
    await submit_refunds(deps)
    assert deps.tx.refunds.rows[refund.id].status is RefundStatus.PROCESSING
    deps.provider.failing = ProviderRefused("json_invalido")
    deps.advance(10)
    assert await submit_refunds(deps) == 1
    assert deps.tx.refunds.rows[refund.id].status is RefundStatus.PROCESSING


async def test_a_refund_whose_first_answer_was_lost_is_not_failed_by_a_refusal_of_its_repeat() -> None:
    """Efí may look at what is left of the Pix before it looks at the id."""
    deps = FakeDeps()
    refund = await a_refund(deps)
    deps.provider.failing = ProviderUnclear("timeout")
    await submit_refunds(deps)
    deps.provider.failing = None
    deps.advance(10)
    deps.provider.refunds[refund.efi_id] = ProviderRefund(state=RefundState.DONE, return_id="D1")
    deps.provider.refusing_refunds = ProviderRefused("valor_invalido")
    await submit_refunds(deps)
    assert deps.tx.refunds.rows[refund.id].status is RefundStatus.REFUNDED


@pytest.mark.parametrize(
    ("amount", "fees"), [("50.00", []), ("50.07", [Decimal("0.00")]), ("49.99", [Decimal("0.05")])]
)
async def test_the_fee_of_a_pix_is_told_exactly_once(amount: str, fees: list[Decimal]) -> None:
    deps = FakeDeps()
    _, charge = await a_submitted_payment(deps)
    pix = replace(a_pix(txid=charge.txid, amount=amount), fee=Decimal("0.05"))
    await confirm_pix(deps.tx, received=pix, source=Source.WEBHOOK, now=NOW)
    assert [fact.fee for fact in deps.tx.facts if isinstance(fact, PaymentMismatchFound)] == fees
    confirmed = [fact.fee for fact in deps.tx.facts if isinstance(fact, PaymentConfirmed)]
    assert sum(fees + confirmed, Decimal(0)) == Decimal("0.05")


async def test_a_paid_charge_whose_pix_efi_does_not_list_yet_is_not_expired() -> None:
    deps = FakeDeps()
    intent, charge = await a_submitted_payment(deps)
    deps.provider.states[charge.txid] = ChargeState.PAID
    deps.advance(901)
    assert await expire_pix_charges(deps) == 0
    assert deps.tx.intents.intents[intent.id].status is IntentStatus.PENDING


async def test_a_pix_that_arrived_before_the_bank_took_the_charge_away_pays_it() -> None:
    deps = FakeDeps()
    intent, charge = await a_submitted_payment(deps)
    deps.provider.pay(a_pix(txid=charge.txid))
    deps.provider.states[charge.txid] = ChargeState.REMOVED
    deps.advance(301)
    await reconcile_pix_charges(deps)
    assert deps.tx.intents.intents[intent.id].status is IntentStatus.CONFIRMED


async def test_an_old_charge_paid_late_neither_pays_nor_blocks_the_new_one() -> None:
    deps = FakeDeps()
    old, old_charge = await a_submitted_payment(deps)
    deps.advance(901)
    await expire_pix_charges(deps)
    new, new_charge, _ = await open_intent(deps.tx, ride_id=old.ride_id, now=deps.now(), ttl_s=900.0)
    late, timely = a_pix(txid=old_charge.txid), a_pix(txid=new_charge.txid)
    assert await confirm_pix(deps.tx, received=late, source=Source.JANITOR, now=NOW) is Outcome.HELD
    assert await confirm_pix(deps.tx, received=timely, source=Source.WEBHOOK, now=NOW) is Outcome.CONFIRMED
    assert deps.tx.intents.intents[old.id].status is IntentStatus.EXPIRED
    assert deps.tx.intents.intents[new.id].status is IntentStatus.CONFIRMED
    [held] = [fact for fact in deps.tx.facts if isinstance(fact, PaymentMismatchFound)]
    assert (held.kind, held.passenger_id, held.amount) == (MismatchKind.LATE, old.passenger_id, late.amount)
