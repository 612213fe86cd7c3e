"""Confirmations racing on a real database: each Pix counts once, whatever arrives how often."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg
import httpx
import pytest
from payment_fakes import FakeBank, a_pix
from payment_harness import Payment

from contracts.payment import PaymentConfirmed, PaymentMismatchFound
from payment.domain.charge import ChargeStatus
from payment.domain.intent import IntentStatus
from payment.domain.received import Source
from payment.domain.webhook import Outcome
from payment.effects.apply_received import apply_received
from payment.effects.expire_pix_charges import expire_pix_charges
from payment.effects.reconcile_pix_charges import reconcile_pix_charges
from payment.effects.submit_charges import submit_charges
from payment.main import build
from payment.settings import Settings
from payment.usecases.expire_charge import expire_charge
from testkit import DatabaseUrls, Tokens, eventually, published


async def test_one_pix_from_fifty_sources_at_once_confirms_once(payment: Payment) -> None:
    _, intent, charge = await payment.open_payment()
    pix = a_pix(txid=charge.txid)
    sources = [Source.WEBHOOK, Source.JANITOR] * 25
    outcomes = await asyncio.gather(
        *(apply_received(payment.deps, received=pix, source=source) for source in sources)
    )
    assert sorted(outcomes) == [Outcome.CONFIRMED] + [Outcome.DUPLICATE] * 49
    assert len(await published(payment.urls, of=PaymentConfirmed)) == 1
    assert (await payment.pair(intent.id))[1].e2e_id == pix.e2e_id


async def test_fifty_different_pix_for_one_charge_confirm_one_and_hold_the_rest(payment: Payment) -> None:
    _, _, charge = await payment.open_payment()
    pixes = [a_pix(txid=charge.txid) for _ in range(50)]
    outcomes = await asyncio.gather(
        *(apply_received(payment.deps, received=pix, source=Source.WEBHOOK) for pix in pixes)
    )
    assert sorted(outcomes) == [Outcome.CONFIRMED] + [Outcome.HELD] * 49
    held = [fact for fact, _, _ in await published(payment.urls, of=PaymentMismatchFound)]
    assert len({fact.external_id for fact in held if isinstance(fact, PaymentMismatchFound)}) == 49


async def test_expiry_and_payment_racing_end_in_one_state_and_lose_no_money(payment: Payment) -> None:
    for _ in range(10):
        _, intent, charge = await payment.open_payment()

        async def expire(intent_id: UUID = intent.id) -> bool:
            async with payment.deps.transaction() as tx:
                return bool(await expire_charge(tx, intent_id=intent_id, now=payment.deps.now()))

        pix = a_pix(txid=charge.txid)
        outcome, expired = await asyncio.gather(
            apply_received(payment.deps, received=pix, source=Source.WEBHOOK), expire()
        )
        intent, charge = await payment.pair(intent.id)
        if expired:
            assert (intent.status, outcome) == (IntentStatus.EXPIRED, Outcome.HELD)
        else:
            assert (intent.status, outcome) == (IntentStatus.CONFIRMED, Outcome.CONFIRMED)
            assert charge.status is ChargeStatus.COMPLETED


async def test_workers_side_by_side_submit_each_charge_once(payment: Payment) -> None:
    for _ in range(20):
        await payment.open_payment()
    await asyncio.gather(*(submit_charges(payment.deps) for _ in range(4)))
    creates = [call for call in payment.bank.calls if call.startswith("create")]
    assert len(creates) == len(set(creates)) == 20


async def test_the_janitor_sweeps_what_no_webhook_told(payment: Payment) -> None:
    _, intent, charge = await payment.open_payment()
    await submit_charges(payment.deps)
    old = payment.deps.now() - timedelta(seconds=payment.deps.policy.janitor_s + 60)
    pix = a_pix(txid=charge.txid)
    payment.bank.pay(replace(pix, paid_at=old))
    assert await reconcile_pix_charges(payment.deps) == 1
    assert await reconcile_pix_charges(payment.deps) == 0
    assert (await payment.pair(intent.id))[0].status is IntentStatus.CONFIRMED


async def test_nothing_expires_before_its_time(payment: Payment) -> None:
    await payment.open_payment()
    assert await expire_pix_charges(payment.deps) == 0


IMPOSSIBLE = (
    "UPDATE payment_intents SET status = 'CONFIRMED' WHERE id = $1",
    "UPDATE payment_intents SET refunded = 1 WHERE id = $1",
    "UPDATE payment_intents SET commission = amount + 1 WHERE id = $1",
    "UPDATE pix_charges SET status = 'COMPLETED' WHERE payment_intent_id = $1",
    (
        "INSERT INTO payment_intents SELECT gen_random_uuid(), ride_id, passenger_id, driver_id, amount,"
        " commission, status, payment_method, refunded, version, confirmed_at, expires_at"
        " FROM payment_intents WHERE id = $1"
    ),
)


async def test_the_database_refuses_a_state_that_cannot_be(payment: Payment) -> None:
    _, intent, _ = await payment.open_payment()
    connection = await asyncpg.connect(payment.urls.app_url)
    try:
        for statement in IMPOSSIBLE:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await connection.execute(statement, intent.id)
    finally:
        await connection.close()


async def test_amounts_survive_the_database_to_the_centavo(payment: Payment) -> None:
    _, intent, _ = await payment.open_payment(fare="33.33", commission="6.66")
    stored = (await payment.pair(intent.id))[0]
    assert (stored.amount, stored.commission) == (Decimal("33.33"), Decimal("6.66"))
    assert stored == intent


async def test_what_a_killed_process_had_claimed_is_taken_over_after_the_lease(
    payment_settings: tuple[Settings, DatabaseUrls], tokens: Tokens
) -> None:
    """The setting is the lease: a charge that was being created when its process died gets its code soon."""
    settings, urls = payment_settings
    hurried = settings.model_copy(update={"payment_lease_s": 0.5})
    bank = FakeBank()
    app = build(hurried, mode="api", verifier=tokens.verifier(), provider=bank)
    async with app.router.lifespan_context(app), httpx.AsyncClient() as client:
        payment = Payment(app=app, bank=bank, tokens=tokens, client=client, urls=urls, settings=hurried)
        _, intent, _ = await payment.open_payment()
        await _claim_and_die(payment)
        assert await submit_charges(payment.deps) == 0
        await eventually(lambda: submit_charges(payment.deps))
        assert (await payment.pair(intent.id))[1].pix_copy_paste is not None


async def _claim_and_die(payment: Payment) -> None:
    """What `submit_charges` does before it calls Efí, and then nothing more."""
    deps = payment.deps
    now = deps.now()
    until = now + timedelta(seconds=deps.policy.lease_s)
    async with deps.transaction() as tx:
        assert len(await tx.intents.claim_unsubmitted(now=now, until=until, limit=10)) == 1
