"""What the database refuses to the service's own role, so that no bug can undo, repeat or forget money."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest
from payment_fakes import a_pix
from payment_harness import Payment

from devstack import folders
from kernel.actor import Actor
from kernel.ids import new_id
from payment.domain.received import Source
from payment.effects.apply_received import apply_received
from payment.usecases.expire_charge import expire_charge
from payment.usecases.request_refund import request_refund
from storage import DatabaseSettings, migrations
from testkit import DatabaseUrls
from testkit.apart import in_thread

REFUSED = (asyncpg.IntegrityConstraintViolationError, asyncpg.InsufficientPrivilegeError)


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


@pytest.mark.parametrize(
    "attack",
    [
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
            "INSERT INTO refunds (id, payment_intent_id, e2e_id, amount, reason, requested_by, status,"
            " next_attempt_at) SELECT gen_random_uuid(), id, 'E', amount / 2 + 0.01, 'x', id, 'REQUESTED',"
            " now() FROM payment_intents WHERE id = $1"
        ),
    ],
)
async def test_a_paid_payment_is_neither_changed_nor_forgotten_nor_refunded_twice(
    books: Books, attack: str
) -> None:
    with pytest.raises(REFUSED):
        await books.connection.execute(attack, books.paid)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE payment_intents SET status = 'PENDING' WHERE id = $1",
        "UPDATE payment_intents SET status = 'CONFIRMED', confirmed_at = now() WHERE id = $1",
        "UPDATE pix_charges SET status = 'COMPLETED', e2e_id = 'E3' WHERE payment_intent_id = $1",
        (
            "INSERT INTO refunds (id, payment_intent_id, e2e_id, amount, reason, requested_by, status,"
            " next_attempt_at) SELECT gen_random_uuid(), id, 'E', 1, 'x', id, 'REQUESTED', now()"
            " FROM payment_intents WHERE id = $1"
        ),
    ],
)
async def test_an_expired_payment_stays_expired_and_has_nothing_to_refund(books: Books, attack: str) -> None:
    with pytest.raises(REFUSED):
        await books.connection.execute(attack, books.expired)


async def test_a_failed_refund_never_comes_back(books: Books) -> None:
    fail = "UPDATE refunds SET status = 'FAILED' WHERE payment_intent_id = $1"
    await books.connection.execute(fail, books.paid)
    with pytest.raises(REFUSED):
        await books.connection.execute(fail.replace("FAILED", "REFUNDED"), books.paid)


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
