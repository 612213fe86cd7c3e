"""What the database refuses to the service's own role, so that no bug can undo, repeat or forget money."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest
from payment_fakes import a_delivery, a_pix
from payment_harness import Payment

from contracts.payment import ClaimKind
from devstack import folders
from kernel.actor import Actor
from kernel.ids import new_id
from payment.domain.claim import Rejection
from payment.domain.received import Source
from payment.effects.apply_received import apply_received
from payment.usecases.expire_charge import expire_charge
from payment.usecases.request_refund import request_refund
from storage import DatabaseSettings, migrations
from testkit import DatabaseUrls
from testkit.apart import in_thread

REFUSED = (asyncpg.IntegrityConstraintViolationError, asyncpg.InsufficientPrivilegeError)

REFUND = (
    "INSERT INTO refunds (id, payment_intent_id, efi_id, reason, requested_by, origin, status, next_attempt_at,"
    " target, e2e_id, amount) SELECT gen_random_uuid(), i.id, 'x', 'x', i.id, 'admin', 'REQUESTED', now(),"
)


ON_A_PAID_PAYMENT = (
    "UPDATE payment_intents SET amount = amount + 1 WHERE id = $1",
    "UPDATE payment_intents SET commission = 0 WHERE id = $1",
    "UPDATE payment_intents SET driver_id = gen_random_uuid() WHERE id = $1",
    "UPDATE payment_intents SET status = 'PENDING', confirmed_at = NULL WHERE id = $1",
    "UPDATE payment_intents SET status = 'EXPIRED', confirmed_at = NULL WHERE id = $1",
    "UPDATE pix_charges SET status = 'ACTIVE', e2e_id = NULL WHERE payment_intent_id = $1",
    "UPDATE pix_charges SET e2e_id = 'E2' WHERE payment_intent_id = $1",
    "UPDATE pix_charges SET txid = repeat('a', 32) WHERE payment_intent_id = $1",
    "UPDATE received_pix SET amount = 1 WHERE payment_intent_id = $1",
    "UPDATE refunds SET amount = 1 WHERE payment_intent_id = $1",
    "DELETE FROM received_pix WHERE payment_intent_id = $1",
    "DELETE FROM refunds WHERE payment_intent_id = $1",
    (
        f"{REFUND} 'fare', r.e2e_id, i.amount / 2 + 0.01 FROM payment_intents i"
        " JOIN received_pix r ON r.payment_intent_id = i.id WHERE i.id = $1"
    ),
    (
        f"{REFUND} 'credit', r.e2e_id, 0.01 FROM payment_intents i"
        " JOIN received_pix r ON r.payment_intent_id = i.id WHERE i.id = $1"
    ),
    f"{REFUND} 'fare', 'E0', 0.01 FROM payment_intents i WHERE i.id = $1",
    "UPDATE refunds SET target = 'credit' WHERE payment_intent_id = $1",
    "UPDATE refunds SET efi_id = 'x' WHERE payment_intent_id = $1",
    "UPDATE refunds SET origin = 'rule' WHERE payment_intent_id = $1",
    "UPDATE received_pix SET held = amount, mismatch = 'late' WHERE payment_intent_id = $1",
    (
        "INSERT INTO refunds (id, payment_intent_id, e2e_id, efi_id, amount, reason, requested_by, target,"
        " origin, status, next_attempt_at) SELECT gen_random_uuid(), payment_intent_id, e2e_id, efi_id, 0.01,"
        " 'x', requested_by, target, origin, 'REQUESTED', now() FROM refunds WHERE payment_intent_id = $1"
    ),
)

ON_AN_EXPIRED_PAYMENT = (
    "UPDATE payment_intents SET status = 'PENDING' WHERE id = $1",
    "UPDATE payment_intents SET status = 'CONFIRMED', confirmed_at = now() WHERE id = $1",
    "UPDATE pix_charges SET status = 'COMPLETED', e2e_id = 'E3' WHERE payment_intent_id = $1",
    (f"{REFUND} 'fare', (SELECT min(e2e_id) FROM received_pix), 1 FROM payment_intents i WHERE i.id = $1"),
)

ON_WEBHOOKS = (
    "UPDATE webhook_deliveries SET sealed_body = 'other'",
    "UPDATE webhook_deliveries SET redacted = '{}', sealed_body = NULL, shredded_at = now()",
    "UPDATE webhook_deliveries SET body_sha256 = repeat('b', 64)",
    "UPDATE webhook_deliveries SET sealed_body = NULL",
    "DELETE FROM webhook_deliveries",
    "TRUNCATE webhook_deliveries CASCADE",
    "UPDATE rejected_claims SET kind = 'x'",
    "DELETE FROM rejected_claims",
)


@dataclass(frozen=True, kw_only=True)
class Books:
    """A paid payment with one refund under way, and an expired one, behind the service's own connection."""

    connection: asyncpg.Connection
    paid: UUID
    expired: UUID


@pytest.fixture
async def books(payment: Payment) -> AsyncIterator[Books]:
    _, paid, charge = await payment.open_payment()
    await apply_received(payment.deps, received=a_pix(txid=charge.txid), source=Source.WEBHOOK)
    admin = Actor(user_id=new_id(), user_type="admin")
    _, expired, _ = await payment.open_payment()
    async with payment.deps.transaction() as tx:
        await request_refund(
            tx, payment_id=paid.id, amount=paid.amount / 2, reason="x", actor=admin, now=payment.deps.now()
        )
        await expire_charge(tx, intent_id=expired.id, now=payment.deps.now())
    connection = await asyncpg.connect(payment.urls.app_url)
    yield Books(connection=connection, paid=paid.id, expired=expired.id)
    await connection.close()


async def test_a_paid_payment_is_neither_changed_nor_forgotten_nor_refunded_twice(books: Books) -> None:
    for attack in ON_A_PAID_PAYMENT:
        with pytest.raises(REFUSED):
            await books.connection.execute(attack, books.paid)


async def test_an_expired_payment_stays_expired_and_has_nothing_to_refund(books: Books) -> None:
    for attack in ON_AN_EXPIRED_PAYMENT:
        with pytest.raises(REFUSED):
            await books.connection.execute(attack, books.expired)


async def test_a_failed_refund_never_comes_back(books: Books) -> None:
    fail = "UPDATE refunds SET status = 'FAILED' WHERE payment_intent_id = $1"
    await books.connection.execute(fail, books.paid)
    with pytest.raises(REFUSED):
        await books.connection.execute(fail.replace("FAILED", "REFUNDED"), books.paid)


async def test_a_refund_within_the_caps_is_taken_so_that_the_refusals_are_the_caps(books: Books) -> None:
    await books.connection.execute(
        f"{REFUND} 'fare', r.e2e_id, i.amount / 2 FROM payment_intents i"
        " JOIN received_pix r ON r.payment_intent_id = i.id WHERE i.id = $1",
        books.paid,
    )


async def test_held_money_is_given_back_once_at_most_whoever_writes(payment: Payment) -> None:
    pix = a_pix(txid=None)
    await apply_received(payment.deps, received=pix, source=Source.WEBHOOK)
    give = (
        "INSERT INTO refunds (id, efi_id, reason, origin, status, next_attempt_at, target, e2e_id, amount)"
        " VALUES (gen_random_uuid(), $1, 'x', 'rule', 'REQUESTED', now(), 'credit', $2, $3)"
    )
    connection = await asyncpg.connect(payment.urls.app_url)
    try:
        await connection.execute(give, "a", pix.e2e_id, pix.amount)
        with pytest.raises(REFUSED):
            await connection.execute(give, "b", pix.e2e_id, Decimal("0.01"))
        await connection.execute("UPDATE refunds SET status = 'FAILED' WHERE efi_id = 'a'")
        await connection.execute(give, "c", pix.e2e_id, pix.amount)
    finally:
        await connection.close()


async def test_what_was_notified_or_rejected_is_neither_changed_nor_forgotten(
    payment: Payment,
) -> None:
    async with payment.deps.transaction() as tx:
        await tx.webhooks.keep(a_delivery())
        await tx.claims.reject(Rejection(kind=ClaimKind.OTHER_KEY, e2e_id="E1"), now=payment.deps.now())
    connection = await asyncpg.connect(payment.urls.app_url)
    try:
        for attack in ON_WEBHOOKS:
            with pytest.raises(REFUSED):
                await connection.execute(attack)
        shred = "UPDATE webhook_deliveries SET sealed_body = NULL, shredded_at = now()"
        assert await connection.execute(shred) == "UPDATE 1"
        with pytest.raises(REFUSED):
            await connection.execute("UPDATE webhook_deliveries SET sealed_body = 'back', shredded_at = NULL")
    finally:
        await connection.close()


async def test_the_migrations_run_back_and_forth(make_database: Callable[[str], DatabaseUrls]) -> None:
    urls = make_database("payment")
    settings = DatabaseSettings(database_url=urls.app_url, database_owner_url=urls.owner_url)
    folder = folders.ROOT / "services" / "payment"
    in_thread(lambda: migrations.downgrade(folder, settings))
    in_thread(lambda: migrations.run(folder, settings))
    connection = await asyncpg.connect(urls.app_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM payment_intents") == 0
    finally:
        await connection.close()
