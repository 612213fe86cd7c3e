"""What happens between payment and the bank, with a bank that a test scripts."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from payment_fakes import NOW, FakeBank, FakeDeps, a_delivery, a_pix, an_event, completed_ride
from prometheus_client import REGISTRY

from kernel.actor import Actor
from kernel.ids import new_id
from payment.domain.charge import Charge, ChargeStatus
from payment.domain.intent import Intent, IntentStatus
from payment.domain.provider import ChargeState, ProviderRefund, ProviderRefused, ProviderUnclear, RefundState
from payment.domain.received import Received, Source
from payment.domain.refund import RefundStatus
from payment.domain.webhook import EventType, Outcome
from payment.effects.draw_qr import draw_qr
from payment.effects.expire_pix_charges import expire_pix_charges
from payment.effects.process_webhooks import process_webhooks
from payment.effects.reconcile_pix_charges import reconcile_pix_charges
from payment.effects.shred_bodies import shred_bodies
from payment.effects.submit_charges import submit_charges
from payment.effects.submit_refunds import submit_refunds
from payment.usecases.confirm_pix import confirm_pix
from payment.usecases.follow_ride import follow_ride
from payment.usecases.open_intent import open_intent
from payment.usecases.request_refund import request_refund


async def an_open_payment(deps: FakeDeps) -> tuple[Intent, Charge]:
    ride = completed_ride()
    await follow_ride(deps.tx, ride=ride)
    intent, charge, _ = await open_intent(deps.tx, ride_id=ride.id, now=deps.now(), ttl_s=900.0)
    return intent, charge


async def a_submitted_payment(deps: FakeDeps) -> tuple[Intent, Charge]:
    intent, _ = await an_open_payment(deps)
    await submit_charges(deps)
    deps.tx.intents.leases.clear()
    return intent, deps.tx.intents.charges[intent.id]


def state_of(deps: FakeDeps, intent_id: UUID) -> tuple[IntentStatus, ChargeStatus]:
    return deps.tx.intents.intents[intent_id].status, deps.tx.intents.charges[intent_id].status


def missed() -> float:
    return REGISTRY.get_sample_value("webhooks_missed_total") or 0.0


async def test_a_new_charge_gets_its_code_and_picture() -> None:
    deps = FakeDeps()
    intent, _ = await an_open_payment(deps)
    assert await submit_charges(deps) == 1
    assert await submit_charges(deps) == 0
    qr_code = deps.tx.intents.charges[intent.id].qr_code
    assert qr_code is not None
    assert qr_code.startswith("data:image/png;base64,")


@pytest.mark.parametrize("error", [ProviderRefused("chave_invalida"), ProviderUnclear("timeout")])
async def test_a_charge_that_efi_did_not_take_is_tried_again_with_its_txid(error: Exception) -> None:
    deps = FakeDeps()
    _, charge = await an_open_payment(deps)
    deps.provider.failing = error  # type: ignore[assignment]
    await submit_charges(deps)
    assert await submit_charges(deps) == 0, "it waits before the next try"
    deps.provider.failing = None
    deps.advance(1)
    await submit_charges(deps)
    assert deps.provider.calls == [f"create {charge.txid}"] * 2
    assert deps.tx.told() == ["payment.intent.created"]


async def test_a_webhook_is_fetched_back_and_confirms() -> None:
    deps = FakeDeps()
    intent, charge = await a_submitted_payment(deps)
    pix = a_pix(txid=charge.txid)
    deps.provider.pay(pix)
    await deps.tx.webhooks.add([an_event(e2e_id=pix.e2e_id)])
    await process_webhooks(deps)
    assert state_of(deps, intent.id) == (IntentStatus.CONFIRMED, ChargeStatus.COMPLETED)


async def test_fifty_equal_webhooks_cost_one_query_and_count_once() -> None:
    deps = FakeDeps()
    _, charge = await a_submitted_payment(deps)
    pix = a_pix(txid=charge.txid)
    deps.provider.pay(pix)
    await deps.tx.webhooks.add([an_event(e2e_id=pix.e2e_id) for _ in range(50)])
    await process_webhooks(deps)
    assert deps.provider.calls.count(f"received {pix.e2e_id}") == 1
    outcomes = list(deps.tx.webhooks.outcomes.values())
    assert outcomes.count(Outcome.CONFIRMED) == 1
    assert outcomes.count(Outcome.DUPLICATE) == 49


async def test_a_webhook_after_the_janitor_is_a_duplicate() -> None:
    deps = FakeDeps()
    _, charge = await a_submitted_payment(deps)
    pix = a_pix(txid=charge.txid)
    deps.provider.pay(pix)
    await confirm_pix(deps.tx, received=pix, source=Source.JANITOR, now=NOW)
    await deps.tx.webhooks.add([an_event(e2e_id=pix.e2e_id)])
    await process_webhooks(deps)
    assert list(deps.tx.webhooks.outcomes.values()) == [Outcome.DUPLICATE]


async def test_a_forged_webhook_changes_nothing_and_is_given_up_after_some_tries() -> None:
    deps = FakeDeps()
    intent, _ = await a_submitted_payment(deps)
    await deps.tx.webhooks.add([an_event(e2e_id="E0")])
    for _ in range(deps.policy.not_found_attempts + 1):
        await process_webhooks(deps)
        deps.advance(120)
    assert list(deps.tx.webhooks.outcomes.values()) == [Outcome.NOT_FOUND]
    assert state_of(deps, intent.id) == (IntentStatus.PENDING, ChargeStatus.ACTIVE)


async def test_a_webhook_waits_while_the_bank_is_away() -> None:
    deps = FakeDeps()
    intent, charge = await a_submitted_payment(deps)
    pix = a_pix(txid=charge.txid)
    deps.provider.pay(pix)
    deps.provider.failing = ProviderUnclear("down")
    await deps.tx.webhooks.add([an_event(e2e_id=pix.e2e_id)])
    await process_webhooks(deps)
    assert deps.tx.webhooks.outcomes == {}
    deps.provider.failing = None
    deps.advance(120)
    await process_webhooks(deps)
    assert state_of(deps, intent.id)[0] is IntentStatus.CONFIRMED


async def test_a_webhook_of_a_send_is_passed_on_and_others_are_noted() -> None:
    deps = FakeDeps()
    await deps.tx.webhooks.add(
        [
            an_event(event_type=EventType.SEND, reference="abc", status="REALIZADO"),
            an_event(event_type=EventType.UNKNOWN),
        ]
    )
    await process_webhooks(deps)
    assert deps.tx.told() == ["send.reported"]
    outcomes = sorted(deps.tx.webhooks.outcomes.values())
    assert outcomes == [Outcome.FORWARDED, Outcome.UNREADABLE]


async def test_an_overdue_charge_expires_after_efi_removed_it() -> None:
    deps = FakeDeps()
    intent, charge = await a_submitted_payment(deps)
    assert await expire_pix_charges(deps) == 0, "its time is not over"
    deps.advance(901)
    assert await expire_pix_charges(deps) == 1
    assert state_of(deps, intent.id) == (IntentStatus.EXPIRED, ChargeStatus.EXPIRED)
    assert deps.provider.states[charge.txid] is ChargeState.REMOVED


async def test_a_charge_that_was_paid_first_is_confirmed_instead_of_expired() -> None:
    deps = FakeDeps()
    intent, charge = await a_submitted_payment(deps)
    deps.provider.pay(a_pix(txid=charge.txid))
    deps.advance(901)
    assert await expire_pix_charges(deps) == 0
    assert state_of(deps, intent.id)[0] is IntentStatus.CONFIRMED


async def test_a_charge_does_not_expire_while_the_bank_is_away() -> None:
    deps = FakeDeps()
    intent, _ = await a_submitted_payment(deps)
    deps.advance(901)
    deps.provider.failing = ProviderUnclear("down")
    assert await expire_pix_charges(deps) == 0
    assert state_of(deps, intent.id)[0] is IntentStatus.PENDING


async def test_a_charge_that_never_reached_efi_expires_too() -> None:
    deps = FakeDeps()
    intent, _ = await an_open_payment(deps)
    deps.advance(901)
    deps.provider.failing = ProviderRefused("cobranca_nao_encontrada")
    assert await expire_pix_charges(deps) == 1
    assert state_of(deps, intent.id)[0] is IntentStatus.EXPIRED


async def test_a_refusal_of_the_removal_of_a_known_charge_proves_nothing() -> None:
    deps = FakeDeps()
    intent, _ = await a_submitted_payment(deps)
    deps.advance(901)
    deps.provider.failing = ProviderRefused("cobranca_nao_encontrada")
    assert await expire_pix_charges(deps) == 0
    assert state_of(deps, intent.id)[0] is IntentStatus.PENDING


async def test_the_janitor_finds_a_pix_whose_webhook_never_came_and_counts_it() -> None:
    deps, before = FakeDeps(), missed()
    intent, charge = await a_submitted_payment(deps)
    deps.provider.pay(a_pix(txid=charge.txid))
    assert await reconcile_pix_charges(deps) == 0, "it is young: its webhook may be on its way"
    deps.advance(301)
    assert await reconcile_pix_charges(deps) == 1
    assert state_of(deps, intent.id)[0] is IntentStatus.CONFIRMED
    assert missed() == before + 1


async def test_a_pix_whose_webhook_is_stored_is_not_counted_as_missed() -> None:
    deps, before = FakeDeps(), missed()
    _, charge = await a_submitted_payment(deps)
    pix = a_pix(txid=charge.txid)
    deps.provider.pay(pix)
    await deps.tx.webhooks.add([an_event(e2e_id=pix.e2e_id)])
    deps.advance(301)
    assert await reconcile_pix_charges(deps) == 1
    assert missed() == before


async def test_the_sweep_finds_a_second_pix_that_no_webhook_told() -> None:
    deps = FakeDeps()
    _, charge = await a_submitted_payment(deps)
    for e2e_id in ("E1", "E2"):
        deps.provider.pay(a_pix(txid=charge.txid, e2e_id=e2e_id))
    await confirm_pix(deps.tx, received=deps.provider.received["E1"], source=Source.WEBHOOK, now=NOW)
    deps.advance(400)
    assert await reconcile_pix_charges(deps) == 1
    assert deps.tx.told()[-1] == "payment.mismatch_found"
    assert await reconcile_pix_charges(deps) == 0


async def test_a_charge_removed_by_the_bank_expires() -> None:
    deps = FakeDeps()
    intent, charge = await a_submitted_payment(deps)
    deps.provider.states[charge.txid] = ChargeState.REMOVED
    deps.advance(301)
    await reconcile_pix_charges(deps)
    assert state_of(deps, intent.id)[0] is IntentStatus.EXPIRED


async def test_the_janitor_survives_a_bank_that_is_away_and_sweeps_again() -> None:
    deps = FakeDeps()
    await a_submitted_payment(deps)
    deps.advance(301)
    deps.provider.failing = ProviderUnclear("down")
    assert await reconcile_pix_charges(deps) == 0
    assert deps.tx.received.swept is None


async def a_refund(deps: FakeDeps) -> tuple[UUID, UUID]:
    intent, charge = await a_submitted_payment(deps)
    await confirm_pix(deps.tx, received=a_pix(txid=charge.txid), source=Source.WEBHOOK, now=NOW)

    admin = Actor(user_id=new_id(), user_type="admin")
    refund = await request_refund(
        deps.tx, payment_id=intent.id, amount=intent.amount, reason="goodwill", actor=admin, now=NOW
    )
    return intent.id, refund.id


async def test_a_refund_is_followed_until_the_bank_has_decided() -> None:
    deps = FakeDeps()
    intent_id, refund_id = await a_refund(deps)
    await submit_refunds(deps)
    assert deps.tx.refunds.rows[refund_id].status is RefundStatus.PROCESSING
    efi_id = deps.tx.refunds.rows[refund_id].efi_id
    deps.provider.refunds[efi_id] = ProviderRefund(state=RefundState.DONE, return_id="D1")
    deps.advance(2)
    await submit_refunds(deps)
    assert deps.tx.intents.intents[intent_id].status is IntentStatus.REFUNDED
    assert deps.provider.calls[-2:] == [f"refund {efi_id}", f"find refund {efi_id}"]


async def test_an_unclear_answer_leaves_the_refund_open_and_a_refusal_fails_it() -> None:
    deps = FakeDeps()
    intent_id, refund_id = await a_refund(deps)
    deps.provider.failing = ProviderUnclear("timeout")
    await submit_refunds(deps)
    assert deps.tx.refunds.rows[refund_id].status is RefundStatus.REQUESTED
    deps.provider.failing = None
    deps.provider.refusing_refunds = ProviderRefused("valor_invalido")
    deps.advance(2)
    await submit_refunds(deps)
    assert deps.tx.refunds.rows[refund_id].status is RefundStatus.FAILED
    assert deps.tx.intents.intents[intent_id].status is IntentStatus.CONFIRMED


def test_a_qr_code_is_a_png_of_the_code() -> None:
    picture = draw_qr("00020101021226830014BR.GOV.BCB.PIX")
    assert picture.startswith("data:image/png;base64,iVBOR")


async def test_more_overdue_charges_than_a_batch_holds_end_in_one_run() -> None:
    deps = FakeDeps()
    deps.policy = replace(deps.policy, batch=3)
    for _ in range(10):
        await a_submitted_payment(deps)
    deps.advance(901)
    assert await expire_pix_charges(deps) == 10


async def test_more_old_charges_than_a_batch_holds_are_asked_about_in_one_run() -> None:
    deps = FakeDeps()
    deps.policy = replace(deps.policy, batch=3)
    for _ in range(10):
        _, charge = await a_submitted_payment(deps)
        deps.provider.pay(a_pix(txid=charge.txid))
        deps.tx.intents.leases.clear()
    deps.advance(301)
    assert await reconcile_pix_charges(deps) == 10


async def test_while_the_bank_is_away_one_batch_is_enough_to_see_it() -> None:
    deps = FakeDeps()
    deps.policy = replace(deps.policy, batch=3)
    for _ in range(10):
        await a_submitted_payment(deps)
    deps.provider.failing = ProviderUnclear("down")
    deps.provider.calls.clear()
    deps.advance(301)
    await reconcile_pix_charges(deps)
    assert len(deps.provider.calls) == 3 + 1, "three charges and the list"
    deps.advance(901)
    await expire_pix_charges(deps)
    assert len(deps.provider.calls) == 3 + 1 + 3


async def test_after_an_outage_the_sweep_walks_the_whole_gap_and_keeps_its_progress() -> None:
    deps = FakeDeps()
    await reconcile_pix_charges(deps)
    for hours in (1, 20, 47):
        deps.provider.pay(replace(a_pix(txid=None, e2e_id=f"E{hours}"), paid_at=NOW + timedelta(hours=hours)))
    deps.advance(48 * 3600)
    lists = 0

    async def failing_at_the_third(*, start: datetime, end: datetime) -> AsyncIterator[Received]:
        nonlocal lists
        lists += 1
        if lists == 3:
            raise ProviderUnclear("down")
        async for received in FakeBank.list_received(deps.provider, start=start, end=end):
            yield received

    deps.provider.list_received = failing_at_the_third  # type: ignore[method-assign]
    assert await reconcile_pix_charges(deps) == 1
    swept = deps.tx.received.swept
    assert swept is not None
    assert NOW < swept < deps.now() - timedelta(hours=24)
    assert await reconcile_pix_charges(deps) == 2
    assert deps.tx.received.rows.keys() == {"E1", "E20", "E47"}


async def test_bodies_are_shredded_when_their_time_is_over_and_not_before() -> None:
    deps = FakeDeps()
    for ttl_s in (10.0, 20.0):
        await deps.tx.webhooks.keep(a_delivery(ttl_s=ttl_s))
    assert await shred_bodies(deps) == 0
    deps.advance(15)
    assert await shred_bodies(deps) == 1
    assert await shred_bodies(deps) == 0
    assert len(deps.tx.webhooks.deliveries) == 2
