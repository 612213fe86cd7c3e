"""The open book in Postgres: what a transaction's handlers add is posted set-based, just before COMMIT."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from kernel.ids import new_id
from kernel.money import money
from ledger.adapters.balance_rows import change_balances, lock_drivers
from ledger.adapters.bulk import arrays_of, bulk_insert
from ledger.adapters.journal_rows import insert_journals, journals_of_entities
from ledger.domain.book import Book, Posted
from ledger.domain.instruction import Instruction, first_of_each
from ledger.metrics import BATCH, DUPLICATES, HOLDS_REFUSED, JOURNALS
from storage import Cause, Transaction
from telemetry.tracing import current_headers, parent_from, span

_EVENT: Final = {
    "id": "uuid",
    "event_type": "text",
    "ride_id": "uuid",
    "payment_intent_id": "uuid",
    "amount": "numeric",
    "external_id": "text",
    "occurred_at": "timestamptz",
    "metadata": "jsonb",
}
_CLAIM: Final = bulk_insert(
    "financial_events",
    _EVENT,
    suffix="ON CONFLICT (external_id) DO NOTHING RETURNING external_id, id",
)
_KNOWN: Final = text("""
SELECT external_id, event_type, amount FROM financial_events
WHERE external_id = ANY(CAST(:external_ids AS text[]))
""")
_ENTRY_IDS: Final = text("SELECT nextval('ledger_entries_id_seq') FROM generate_series(1, :count)")
_ACCOUNT_IDS: Final = text("SELECT code, id FROM ledger_accounts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An instruction, and whose message ordered it: what is published of it names that as its cause."""

    instruction: Instruction
    now: datetime
    cause: Cause | None
    trace: dict[str, str]


class SqlBook:
    """Collects instructions; `post` claims their external ids, locks, applies, writes and publishes."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._pending: list[Pending] = []

    def add(self, instruction: Instruction, *, now: datetime) -> None:
        self._pending.append(
            Pending(instruction=instruction, now=now, cause=self._tx.scope.cause, trace=current_headers())
        )

    async def post(self) -> int:
        waiting, self._pending = self._pending, []
        if not waiting:
            return 0
        event_ids = await self._claim([pending.instruction for pending in waiting])
        fresh = _fresh(waiting, claimed=event_ids)
        DUPLICATES.inc(len(waiting) - len(fresh))
        if not fresh:
            return 0
        book = await self._open(fresh)
        for pending in fresh:
            book.apply(pending.instruction, now=pending.now)
        await self._write(book, event_ids=event_ids, now=fresh[-1].now)
        await self._publish(book, fresh)
        return len(fresh)

    async def _claim(self, instructions: Sequence[Instruction]) -> dict[str, UUID]:
        """Insert the financial events that are new; external id → event id. DuplicateDiffers for liars."""
        # Sorted, so that two transactions that share ids wait for each other instead of deadlocking.
        wanted = sorted(first_of_each(instructions), key=lambda instruction: instruction.external_id)
        rows = await self._tx.session.execute(_CLAIM, arrays_of(map(_event_row, wanted), _EVENT))
        claimed: dict[str, UUID] = {row.external_id: row.id for row in rows}
        await self._check_known([i for i in wanted if i.external_id not in claimed])
        return claimed

    async def _check_known(self, instructions: Sequence[Instruction]) -> None:
        if not instructions:
            return
        ids = [instruction.external_id for instruction in instructions]
        rows = (await self._tx.session.execute(_KNOWN, {"external_ids": ids})).all()
        known = {row.external_id: row for row in rows}
        for instruction in instructions:
            row = known[instruction.external_id]
            instruction.check_same(event_type=row.event_type, amount=money(row.amount))

    async def _open(self, fresh: Sequence[Pending]) -> Book:
        instructions = [pending.instruction for pending in fresh]
        session = self._tx.session
        drivers = {driver_id for instruction in instructions for driver_id in instruction.drivers}
        balances = await lock_drivers(session, drivers=drivers, now=fresh[-1].now)
        # After the locks: whatever an earlier transaction posted about these entities is visible now.
        history = await journals_of_entities(session, entities=(i.entity for i in instructions))
        count = sum(instruction.entries_max for instruction in instructions)
        entry_ids = (await session.execute(_ENTRY_IDS, {"count": count})).scalars().all()
        return Book(balances=balances, history=history, entry_ids=iter(entry_ids), new_id=new_id)

    async def _write(self, book: Book, *, event_ids: dict[str, UUID], now: datetime) -> None:
        session = self._tx.session
        accounts = {row.code: row.id for row in await session.execute(_ACCOUNT_IDS)}
        await insert_journals(session, posted=book.posted, event_ids=event_ids, account_ids=accounts)
        await change_balances(
            session,
            changes=book.changes_by_account(),
            drivers=[balance.driver_id for balance in book.changed_balances()],
            now=now,
        )

    async def _publish(self, book: Book, fresh: Sequence[Pending]) -> None:
        for posted, pending in zip(book.posted, fresh, strict=True):
            with self._on_behalf_of(pending):
                for fact in book.facts_of(posted):
                    await self._tx.publish(fact)
        for balance in book.changed_balances():
            await self._tx.publish(balance.fact(), version=balance.version)
        counted = list(book.posted)
        self._tx.after_commit(lambda: _count(counted))

    @contextmanager
    def _on_behalf_of(self, pending: Pending) -> Iterator[None]:
        outer, self._tx.scope.cause = self._tx.scope.cause, pending.cause
        try:
            if not pending.trace:
                yield
                return
            with span("post_journals", parent=parent_from(pending.trace)):
                yield
        finally:
            self._tx.scope.cause = outer


def _fresh(waiting: Sequence[Pending], *, claimed: dict[str, UUID]) -> list[Pending]:
    """The first of each claimed external id, in the order in which they were added."""
    first: dict[str, Pending] = {}
    for pending in waiting:
        if pending.instruction.external_id in claimed:
            first.setdefault(pending.instruction.external_id, pending)
    return list(first.values())


def _event_row(instruction: Instruction) -> dict[str, Any]:
    return {
        "id": new_id(),
        "event_type": instruction.event_type,
        "ride_id": instruction.ride_id,
        "payment_intent_id": instruction.payment_id,
        "amount": instruction.amount,
        "external_id": instruction.external_id,
        "occurred_at": instruction.occurred_at,
        "metadata": json.dumps(dict(instruction.metadata)),
    }


async def _count(posted: Sequence[Posted]) -> None:
    BATCH.observe(len(posted))
    for one in posted:
        for journal in one.journals:
            JOURNALS.labels(event_type=journal.draft.event_type).inc()
        if one.outcome.decision is not None and one.outcome.decision.reason is not None:
            HOLDS_REFUSED.labels(reason=one.outcome.decision.reason).inc()
