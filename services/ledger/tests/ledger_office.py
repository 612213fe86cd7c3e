"""What the accounting office does in tests: posting facts, statements, proposals, and people."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from ledger_books import NOW, Books

from contracts.base import Fact
from contracts.payment import (
    PaymentConfirmed,
    PaymentCreditRefunded,
    PaymentMismatchFound,
    PaymentRefundFailed,
    StatementClosed,
    StatementLine,
    StatementLineKind,
)
from contracts.payout import PayoutCompleted, PayoutReady
from kernel.actor import Actor
from kernel.business_day import day_bounds
from kernel.ids import new_id
from kernel.money import ZERO, money
from ledger.consumers import HANDLERS
from ledger.domain.journal import Line, credit, debit
from ledger.usecases.approve_manual_journal import approve_manual_journal
from ledger.usecases.propose_manual_journal import propose_manual_journal
from messaging import Delivery


def admin() -> Actor:
    """Somebody of the office."""
    return Actor(user_id=new_id(), user_type="admin")


def delivery(fact: Fact, now: datetime) -> Delivery:
    """How a fact arrives."""
    return Delivery(
        id=new_id(),
        source="test",
        type=fact.type_name(),
        key=fact.key(),
        time=now,
        version=0,
        now=now,
        topic=fact.topic.name,
        partition=0,
        offset=0,
        headers={},
        correlation_id=None,
        causation_id=None,
    )


async def consume(books: Books, *facts: Fact, now: datetime) -> None:
    """Handle the facts, each in a transaction of its own."""
    for fact in facts:
        async with books.transaction() as tx:
            await HANDLERS[type(fact)](tx, fact, delivery(fact, now))


def refund_failed(amount: str, *, reason: str = "refused_by_bank") -> PaymentRefundFailed:
    """A refund that did not happen."""
    return PaymentRefundFailed(
        ride_id=new_id(),
        payment_id=new_id(),
        passenger_id=new_id(),
        driver_id=new_id(),
        refund_id=new_id(),
        amount=money(amount),
        reason=reason,
        failed_at=NOW,
    )


def statement_line(
    kind: StatementLineKind, amount: str, *, day: str, at: datetime, line_id: str | None = None, **names: Any
) -> StatementLine:
    """A line of Efí's statement."""
    return StatementLine(
        day=day, line_id=line_id or new_id().hex, kind=kind, amount=money(amount), occurred_at=at, **names
    )


def received_line(
    paid: PaymentConfirmed | PaymentMismatchFound, *, day: str, amount: str | None = None
) -> StatementLine:
    """The line of a received Pix."""
    return statement_line(
        StatementLineKind.PIX_RECEIVED,
        amount or str(paid.amount),
        day=day,
        at=paid.paid_at,
        line_id=f"received:{paid.e2e_id}",
        e2e_id=paid.e2e_id,
    )


def sent_line(done: PayoutCompleted, *, day: str, amount: str | None = None) -> StatementLine:
    """The line of a payout."""
    return statement_line(
        StatementLineKind.PIX_SENT,
        amount or str(-done.amount),
        day=day,
        at=done.completed_at,
        line_id=f"sent:{done.id_envio}",
        e2e_id=done.e2e_id,
        id_envio=done.id_envio,
    )


def closed(
    lines: Iterable[StatementLine], *, day: str, at: datetime, balance: str | None = None, over: bool = True
) -> StatementClosed:
    """The end of a day's statement, taken when the day was `over` or at once."""
    kept = list(lines)
    return StatementClosed(
        day=day,
        lines=len(kept),
        came_in=sum((line.amount for line in kept if line.amount > 0), ZERO),
        went_out=sum((line.amount for line in kept if line.amount < 0), ZERO),
        balance=None if balance is None else money(balance),
        closed_at=max(at, day_bounds(date.fromisoformat(day))[1] + timedelta(minutes=30)) if over else at,
    )


def credit_refunded(
    found: PaymentMismatchFound, amount: str, *, total: str | None = None, at: datetime
) -> PaymentCreditRefunded:
    """What a mismatch held went back to its payer."""
    return PaymentCreditRefunded(
        refund_id=new_id(),
        external_id=found.external_id,
        e2e_id=found.e2e_id,
        amount=money(amount),
        total_refunded=money(total or amount),
        ride_id=found.ride_id,
        payment_id=found.payment_id,
        passenger_id=found.passenger_id,
        return_id=f"D{new_id().hex}",
        refunded_at=at,
    )


def capital(amount: str = "1000.00") -> tuple[Line, Line]:
    """The owners put money into the bank account."""
    return debit("1100", money(amount)), credit("3100", money(amount))


async def post_manual(books: Books, *lines: Line, now: datetime, reference_number: str | None = None) -> str:
    """Propose and approve a journal, by two people; its transaction id."""
    proposal_id: UUID = new_id()
    async with books.transaction() as tx:
        proposal = await propose_manual_journal(
            tx,
            proposal_id=proposal_id,
            lines=lines,
            description="Lançamento de teste",
            reason="a test needs it",
            reference_number=reference_number,
            actor=admin(),
            now=now,
        )
    async with books.transaction() as tx:
        await approve_manual_journal(tx, proposal_id=proposal_id, actor=admin(), now=now)
    return proposal.transaction_id


def paid_out(
    driver_id: UUID, amount: str, *, at: datetime, fee: str = "0.00"
) -> tuple[PayoutReady, PayoutCompleted]:
    """A payout that went through, as its two facts."""
    payout_id = new_id()
    ready = PayoutReady(driver_id=driver_id, payout_id=payout_id, amount=money(amount), ready_at=at)
    done = PayoutCompleted(
        driver_id=driver_id,
        payout_id=payout_id,
        amount=money(amount),
        id_envio=payout_id.hex,
        e2e_id=f"E{payout_id.hex[:31]}",
        fee=money(fee),
        completed_at=at,
    )
    return ready, done
