"""What somebody gives back at Efí, past us, of a Pix that paid a fare and more: payment and ledger agree on it.

No stack: payment on its database with a bank that the test moves, and every fact that payment published handed to
the ledger's handlers, on its database.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from contracts.base import Fact
from contracts.payment import PaymentCreditRefunded, PaymentMismatchFound, PaymentRefunded
from kernel.actor import Actor
from kernel.clock import SystemClock
from kernel.ids import new_id
from kernel.money import ZERO, money, split
from ledger.adapters.transaction import LedgerTransaction
from ledger.consumers import HANDLERS
from ledger.domain.instruction import Contradiction
from messaging import Delivery as Arrival
from payment.adapters.transaction import PaymentTransaction
from payment.domain.charge import Charge
from payment.domain.devolution import Devolution, ProviderRefund, RefundState
from payment.domain.intent import Intent
from payment.domain.policy import Policy
from payment.domain.received import Received
from payment.domain.refund import PaymentNotRefundable, RefundExceedsPayment
from payment.domain.ride import Ride, RideState
from payment.domain.webhook import Delivery, EventType, WebhookEvent, payload_hash
from payment.effects.process_webhooks import process_webhooks
from payment.usecases.follow_ride import follow_ride
from payment.usecases.open_intent import open_intent
from payment.usecases.request_credit_refund import request_credit_refund
from payment.usecases.request_refund import request_refund
from payment.usecases.store_webhook import store_webhook
from storage import Database, DatabaseSettings
from testkit import published
from testkit.databases import DatabaseUrls

NOW: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FARE, COMMISSION = money("50.00"), money("10.00")
ADMIN: Final = Actor(user_id=new_id(), user_type="admin")
CENTAVO: Final = money("0.01")


@dataclass
class Bank:
    """What Efí knows of received Pix; `balance` is what is left of them."""

    pixes: dict[str, Received] = field(default_factory=dict)

    async def find_received(self, e2e_id: str) -> Received | None:
        return self.pixes.get(e2e_id)

    def receive(self, amount: str, *, txid: str) -> str:
        e2e_id = f"E09089356{new_id().hex[-23:]}"
        self.pixes[e2e_id] = Received(e2e_id=e2e_id, txid=txid, amount=money(amount), fee=ZERO, paid_at=NOW)
        return e2e_id

    def give_back(self, e2e_id: str, amount: str, *, beyond: bool = False) -> None:
        """Somebody does, in Efí's app; Efí lets them only up to the Pix, unless it is `beyond` itself."""
        pix = self.pixes[e2e_id]
        name = f"app{len(pix.devolutions) + 1}"
        answer = ProviderRefund(state=RefundState.DONE, return_id=f"D{new_id().hex[:31]}")
        made = Devolution(efi_id=name, amount=money(amount), answer=answer)
        self.pixes[e2e_id] = replace(pix, devolutions=(*pix.devolutions, made))
        assert beyond or self.left(e2e_id) >= 0

    def left(self, e2e_id: str) -> Decimal:
        pix = self.pixes[e2e_id]
        return pix.amount - sum((one.amount for one in pix.devolutions), ZERO)

    @property
    def balance(self) -> Decimal:
        return sum(map(self.left, self.pixes), ZERO)


@dataclass
class Both:
    """Payment and ledger of one ride of 50.00, 10.00 of it commission."""

    payment: Database[PaymentTransaction]
    ledger: Database[LedgerTransaction]
    payment_urls: DatabaseUrls
    ledger_urls: DatabaseUrls
    bank: Bank = field(default_factory=Bank)
    ride: Ride = field(
        default_factory=lambda: Ride(
            id=new_id(),
            passenger_id=new_id(),
            driver_id=new_id(),
            state=RideState.COMPLETED,
            fare=FARE,
            commission=COMMISSION,
        )
    )

    async def charge(self) -> tuple[Intent, Charge]:
        async with self.payment.transaction() as tx:
            await follow_ride(tx, ride=self.ride)
            intent, charge, _ = await open_intent(tx, ride_id=self.ride.id, now=NOW, ttl_s=900.0)
        return intent, charge

    async def tell(self, e2e_id: str, kind: EventType = EventType.REFUND) -> None:
        """Efí's webhook about this Pix arrives and is worked on."""
        delivery = Delivery(
            id=new_id(), sealed=b"x", sha256="0" * 64, redacted={}, received_at=NOW, shred_at=NOW
        )
        event = WebhookEvent(
            id=new_id(),
            event_type=kind,
            payload={},
            payload_hash=payload_hash({"id": str(new_id())}),
            received_at=NOW,
            e2e_id=e2e_id,
            delivery_id=delivery.id,
        )
        async with self.payment.transaction() as tx:
            await store_webhook(tx, delivery=delivery, events=[event])
        deps: Any = SimpleNamespace(
            transaction=self.payment.transaction,
            provider=self.bank,
            # A second payment is not sent back by our own rule here: somebody at Efí is faster.
            policy=Policy(charge_ttl_s=900.0, janitor_s=300.0, refund_second_payments=False),
            now=SystemClock().now,
        )
        await process_webhooks(deps)

    async def receive(self, amount: str, *, txid: str) -> str:
        e2e_id = self.bank.receive(amount, txid=txid)
        await self.tell(e2e_id, EventType.RECEIVED)
        return e2e_id

    async def facts(self) -> list[Fact]:
        handled = tuple(HANDLERS)
        return [fact for fact, _, _ in await published(self.payment_urls) if isinstance(fact, handled)]

    async def book(self, facts: Sequence[Fact]) -> None:
        """Hand these to the ledger, each twice: Kafka may, and it must not matter."""
        for fact in facts:
            for _ in range(2):
                async with self.ledger.transaction() as tx:
                    await HANDLERS[type(fact)](tx, fact, arrival(fact))

    async def accounts(self) -> Mapping[str, Decimal]:
        rows = await rows_of(self.ledger_urls, "SELECT code, balance FROM trial_balance")
        return {row["code"]: row["balance"] for row in rows}

    async def refunded(self) -> Mapping[str, Decimal]:
        rows = await rows_of(
            self.payment_urls,
            "SELECT target, sum(amount) AS amount FROM refunds WHERE status = 'REFUNDED' GROUP BY target",
        )
        return {"fare": ZERO, "credit": ZERO} | {row["target"]: row["amount"] for row in rows}


async def rows_of(urls: DatabaseUrls, sql: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(urls.admin_url)
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


def arrival(fact: Fact) -> Arrival:
    return Arrival(
        id=new_id(),
        source="payment",
        type=fact.type_name(),
        key=fact.key(),
        time=NOW,
        version=0,
        now=datetime.now(UTC),
        topic=fact.topic.name,
        partition=0,
        offset=0,
        headers={},
    )


@pytest.fixture
async def both(make_database: Callable[[str], DatabaseUrls]) -> AsyncIterator[Both]:
    async with AsyncExitStack() as stack:
        urls = {name: make_database(name) for name in ("payment", "ledger")}
        payment = Database(
            DatabaseSettings(database_url=urls["payment"].app_url), service="payment", make=PaymentTransaction
        )
        ledger = Database(
            DatabaseSettings(database_url=urls["ledger"].app_url), service="ledger", make=LedgerTransaction
        )
        stack.push_async_callback(payment.dispose)
        stack.push_async_callback(ledger.dispose)
        yield Both(payment, ledger, urls["payment"], urls["ledger"])


async def assert_agreed(both: Both, *, fare: Decimal, credit: Decimal, held: Decimal) -> None:
    """`fare` and `credit` went back, of a fare of 50.00 and of `held`; bank, payment and ledger say so."""
    assert await both.refunded() == {"fare": fare, "credit": credit}
    accounts = await both.accounts()
    platform, driver = split(FARE - fare, weights=(COMMISSION, FARE - COMMISSION))
    assert accounts["1100"] == both.bank.balance == FARE - fare + held - credit
    assert accounts["2200"] == held - credit
    assert (accounts["4200"], accounts["2100"] - accounts["1350"]) == (platform, driver)
    assert sum(accounts[code] for code in ("2900", "1200", "4100") if code in accounts) == ZERO
    assert await rows_of(both.ledger_urls, "SELECT * FROM balance_differences") == []


@pytest.mark.parametrize(
    ("gone", "fare", "credit"),
    [
        # Within the surplus, over it into the fare, in parts, all of it.
        (["3.00"], "0.00", "3.00"),
        (["5.00"], "0.00", "5.00"),
        (["12.37"], "7.37", "5.00"),
        (["2.00", "4.00", "0.01"], "1.01", "5.00"),
        (["55.00"], "50.00", "5.00"),
        (["0.01", "54.98", "0.01"], "50.00", "5.00"),
    ],
)
async def test_of_a_pix_with_a_surplus_the_surplus_goes_first_then_the_fare_pro_rata(
    both: Both, gone: list[str], fare: str, credit: str
) -> None:
    _, charge = await both.charge()
    pix = await both.receive("55.00", txid=charge.txid)
    for amount in gone:
        both.bank.give_back(pix, amount)
        await both.tell(pix)
        await both.tell(pix)
    await both.book(await both.facts())
    await assert_agreed(both, fare=money(fare), credit=money(credit), held=money("5.00"))


@pytest.mark.parametrize("second_first", [False, True])
async def test_what_goes_back_of_a_second_payment_takes_nothing_of_the_fare_that_the_first_paid(
    both: Both, second_first: bool
) -> None:
    _, charge = await both.charge()
    first = await both.receive("55.00", txid=charge.txid)
    second = await both.receive("50.00", txid=charge.txid)
    steps = [(first, "20.00"), (second, "30.00"), (second, "20.00"), (first, "35.00")]
    for pix, amount in reversed(steps) if second_first else steps:
        both.bank.give_back(pix, amount)
        await both.tell(pix)
        await both.book(await both.facts())
    await assert_agreed(both, fare=money("50.00"), credit=money("55.00"), held=money("55.00"))
    assert both.bank.balance == ZERO


async def test_a_part_of_a_second_payment_leaves_the_rest_with_the_passenger(both: Both) -> None:
    _, charge = await both.charge()
    first = await both.receive("50.00", txid=charge.txid)
    second = await both.receive("50.00", txid=charge.txid)
    both.bank.give_back(second, "19.99")
    both.bank.give_back(first, "0.02")
    for pix in (second, first):
        await both.tell(pix)
    await both.book(await both.facts())
    await assert_agreed(both, fare=money("0.02"), credit=money("19.99"), held=money("50.00"))


async def test_after_it_neither_payment_nor_ledger_gives_back_a_centavo_too_much(both: Both) -> None:
    """What is left may go back by us; nothing beyond it, whoever says so."""
    intent, charge = await both.charge()
    pix = await both.receive("55.00", txid=charge.txid)
    both.bank.give_back(pix, "54.99")
    await both.tell(pix)
    facts = await both.facts()
    await both.book(facts)
    await assert_agreed(both, fare=money("49.99"), credit=money("5.00"), held=money("5.00"))

    await refused_by_payment(both, intent.id, pix, fare_left=CENTAVO)
    # Efí itself says that more came back than was ever paid: that fits nothing, and nothing is booked.
    both.bank.give_back(pix, "1.00", beyond=True)
    await both.tell(pix)
    assert await both.facts() == facts
    await refused_by_ledger(both, facts)
    both.bank.pixes[pix] = replace(both.bank.pixes[pix], devolutions=both.bank.pixes[pix].devolutions[:-1])
    await assert_agreed(both, fare=money("49.99"), credit=money("5.00"), held=money("5.00"))

    both.bank.give_back(pix, "0.01")
    await both.tell(pix)
    await both.book(await both.facts())
    await assert_agreed(both, fare=FARE, credit=money("5.00"), held=money("5.00"))
    await refused_by_payment(both, intent.id, pix, fare_left=ZERO)


async def refused_by_payment(both: Both, payment_id: UUID, e2e_id: str, *, fare_left: Decimal) -> None:
    with pytest.raises((RefundExceedsPayment, PaymentNotRefundable)):
        async with both.payment.transaction() as tx:
            await request_refund(
                tx, payment_id=payment_id, amount=fare_left + CENTAVO, reason="more", actor=ADMIN, now=NOW
            )
    with pytest.raises(RefundExceedsPayment):
        async with both.payment.transaction() as tx:
            await request_credit_refund(
                tx, e2e_id=e2e_id, amount=CENTAVO, reason="more", actor=ADMIN, now=NOW
            )


async def refused_by_ledger(both: Both, facts: Sequence[Fact]) -> None:
    """The same refunds once more under new ids: as if payment had lost its mind."""
    [held] = [fact for fact in facts if isinstance(fact, PaymentMismatchFound)]
    credited = next(fact for fact in facts if isinstance(fact, PaymentCreditRefunded))
    refunded = next(fact for fact in facts if isinstance(fact, PaymentRefunded))
    assert credited.external_id == held.external_id
    for fact, amount in ((credited, CENTAVO), (refunded, 2 * CENTAVO)):
        again = fact.model_copy(update={"refund_id": new_id(), "amount": amount})
        with pytest.raises(Contradiction):
            async with both.ledger.transaction() as tx:
                await HANDLERS[type(again)](tx, again, arrival(again))
