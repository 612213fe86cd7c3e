"""Builders of facts, and a real ledger database, for the ledger's tests."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import asyncpg

from contracts.base import Fact
from contracts.payment import MismatchKind, PaymentConfirmed, PaymentMismatchFound, PaymentRefunded
from contracts.payout import PayoutCompleted, PayoutFailed, PayoutReady, PayoutReturned
from kernel.clock import Clock
from kernel.ids import new_id
from kernel.money import ZERO, money
from ledger.adapters.transaction import LedgerTransaction
from storage import Database, DatabaseSettings
from testkit.databases import DatabaseUrls
from testkit.waiting import eventually

NOW: Final = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


def confirmed(
    amount: str = "50.00",
    *,
    commission: str = "10.00",
    fee: str = "0.00",
    driver_id: UUID | None = None,
    payment_id: UUID | None = None,
    e2e_id: str | None = None,
    at: datetime = NOW,
) -> PaymentConfirmed:
    """A confirmed payment; whatever is not given is new."""
    return PaymentConfirmed(
        ride_id=new_id(),
        payment_id=payment_id or new_id(),
        passenger_id=new_id(),
        driver_id=driver_id or new_id(),
        amount=money(amount),
        commission=money(commission),
        fee=money(fee),
        txid=new_id().hex,
        e2e_id=e2e_id or f"E{new_id().hex}",
        paid_at=at,
        confirmed_at=at,
    )


def refunded(
    paid: PaymentConfirmed, amount: str, *, total: str | None = None, refund_id: UUID | None = None
) -> PaymentRefunded:
    """A refund of `amount` of a payment."""
    total_refunded = money(total or amount)
    return PaymentRefunded(
        ride_id=paid.ride_id,
        payment_id=paid.payment_id,
        passenger_id=paid.passenger_id,
        driver_id=paid.driver_id,
        refund_id=refund_id or new_id(),
        amount=money(amount),
        total_refunded=total_refunded,
        payment_amount=paid.amount,
        commission=paid.commission,
        e2e_id=paid.e2e_id,
        return_id=f"D{new_id().hex}",
        full=total_refunded == paid.amount,
        refunded_at=NOW,
    )


def mismatch(
    amount: str = "5.00",
    *,
    passenger_id: UUID | None = None,
    kind: MismatchKind = MismatchKind.UNMATCHED,
    txid: str | None = None,
) -> PaymentMismatchFound:
    """A Pix that fits no charge."""
    e2e_id = f"E{new_id().hex}"
    return PaymentMismatchFound(
        kind=kind,
        amount=money(amount),
        external_id=e2e_id,
        e2e_id=e2e_id,
        txid=txid,
        passenger_id=passenger_id,
        paid_at=NOW,
        found_at=NOW,
    )


def ready(amount: str, *, driver_id: UUID, payout_id: UUID | None = None) -> PayoutReady:
    """A payout whose snapshot is taken."""
    return PayoutReady(
        driver_id=driver_id, payout_id=payout_id or new_id(), amount=money(amount), ready_at=NOW
    )


def completed(payout: PayoutReady, *, fee: str = "0.00", at: datetime = NOW) -> PayoutCompleted:
    """That payout reached the driver."""
    return PayoutCompleted(
        driver_id=payout.driver_id,
        payout_id=payout.payout_id,
        amount=payout.amount,
        id_envio=payout.payout_id.hex,
        e2e_id=f"E{payout.payout_id.hex[:31]}",
        fee=money(fee),
        completed_at=at,
    )


def failed(payout: PayoutReady, *, held: bool = True, reason: str = "rejected_by_bank") -> PayoutFailed:
    """That payout failed."""
    return PayoutFailed(
        driver_id=payout.driver_id,
        payout_id=payout.payout_id,
        amount=payout.amount,
        reason=reason,
        held=held,
        failed_at=NOW,
    )


def returned(
    payout: PayoutReady, amount: str, *, total: str | None = None, return_id: str | None = None
) -> PayoutReturned:
    """That payout came back, whole or in part."""
    return PayoutReturned(
        driver_id=payout.driver_id,
        payout_id=payout.payout_id,
        amount=money(amount),
        payout_amount=payout.amount,
        returned_total=money(total or amount),
        return_id=return_id or f"D{new_id().hex}",
        returned_at=NOW,
    )


Books = Database[LedgerTransaction]


@asynccontextmanager
async def open_books(urls: DatabaseUrls, clock: Clock, **settings: Any) -> AsyncIterator[Books]:
    """The ledger's database as its service's role."""
    books: Books = Database(
        DatabaseSettings(database_url=urls.app_url, **settings),
        service="ledger",
        make=LedgerTransaction,
        clock=clock,
    )
    try:
        yield books
    finally:
        await books.dispose()


Handler = Callable[[LedgerTransaction, Any, Any], Awaitable[None]]


async def query(urls: DatabaseUrls, sql: str, *args: Any) -> list[Mapping[str, Any]]:
    """Rows, read as the superuser."""
    connection = await asyncpg.connect(urls.admin_url)
    try:
        return [dict(row) for row in await connection.fetch(sql, *args)]
    finally:
        await connection.close()


async def trial_balance(urls: DatabaseUrls) -> dict[str, Decimal]:
    """Account code → balance on its normal side, of accounts that moved; debits equal credits."""
    rows = await query(urls, "SELECT code, balance, difference, debits FROM trial_balance")
    assert sum((row["difference"] for row in rows), ZERO) == 0
    return {row["code"]: money(row["balance"]) for row in rows if row["debits"] or row["balance"]}


async def assert_sound(urls: DatabaseUrls) -> None:
    """Every journal sums to zero and is complete; kept balances equal their entries."""
    assert (
        await query(urls, "SELECT * FROM journal_totals WHERE debits <> credits OR lines <> line_count") == []
    )
    assert await query(urls, "SELECT * FROM balance_differences") == []
    await trial_balance(urls)


async def until_finished(urls: DatabaseUrls) -> None:
    """Wait until no transaction of the server (other tests' too) is older than what is posted."""
    behind = """
SELECT coalesce(max(xid::text::numeric), 0) < pg_snapshot_xmin(pg_current_snapshot())::text::numeric AS done
FROM journals"""

    async def done() -> bool:
        [row] = await query(urls, behind)
        return bool(row["done"])

    await eventually(done, 30)


def of_type(facts: list[tuple[Fact, str, int]], kind: type[Fact]) -> list[Any]:
    """The published facts of one type."""
    return [fact for fact, _, _ in facts if type(fact) is kind]
