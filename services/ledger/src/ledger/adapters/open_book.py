"""The open book in Postgres: what a transaction's handlers add is posted set-based, just before COMMIT."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from itertools import count
from operator import attrgetter
from typing import Final, NamedTuple
from uuid import UUID

from pydantic_core import to_json

from contracts.ledger import LedgerDriverBalanceChanged, LedgerPosted
from kernel.money import ZERO, money
from ledger.adapters.balance_rows import BalanceRows
from ledger.adapters.bulk import IdTexts, joined, rows_of, run, time_text
from ledger.adapters.journal_rows import insert_journals, journals_of_entities
from ledger.adapters.posted_json import balance_json, posted_json
from ledger.adapters.seals import BatchContent, link
from ledger.domain.book import Book, Posted
from ledger.domain.instruction import Instruction, Posting, first_of_each
from ledger.domain.seal import canonical, content_hash, sealed
from ledger.metrics import BATCH, DUPLICATES, HOLDS_REFUSED, JOURNALS
from storage import Cause, Transaction, new_row_id
from telemetry.tracing import current_headers

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
# Batches wait for each other, in one order and so without a deadlock: on a busy machine longer than a request may.
# Answers with the ids that were there before: mostly none. The batch's number comes in the same round trip.
_CLAIM: Final = f"""
WITH r AS MATERIALIZED ({rows_of(_EVENT)}),
claimed AS (
  INSERT INTO financial_events ({", ".join(_EVENT)}) SELECT * FROM r
  ON CONFLICT (external_id) DO NOTHING RETURNING external_id)
SELECT nextval('ledger_batch_seq') AS batch,
       set_config('lock_timeout', '30000', true), set_config('statement_timeout', '40000', true),
       ARRAY(SELECT external_id FROM r EXCEPT SELECT external_id FROM claimed) AS known"""  # noqa: S608 - constants of this module
_KNOWN: Final = """
SELECT external_id, event_type, amount FROM financial_events WHERE external_id = ANY($1::text[])"""
_ACCOUNT_IDS: Final = "SELECT code, id FROM ledger_accounts"
# An entry's id is its batch's number and its place in it, so that no round trip is needed to draw ids.
_ENTRY_BITS: Final = 20


class Pending(NamedTuple):
    """An instruction, and whose message ordered it: what is published of it names that as its cause."""

    instruction: Instruction
    now: datetime
    cause: Cause | None
    trace: dict[str, str]


class SqlBook:
    """Collects instructions; `post` claims their external ids, applies, writes and publishes.

    `seal` comes last in a transaction: it links everything that was posted in it to the hash chain.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._pending: list[Pending] = []
        self._batch: int | None = None
        self._entry_ids: Iterator[int] = iter(())
        self._account_ids: dict[str, UUID] = {}
        self._unsealed: list[Book] = []
        self._ids = IdTexts()

    def add(self, instruction: Instruction, *, now: datetime) -> None:
        self._pending.append(Pending(instruction, now, self._tx.scope.cause, current_headers()))

    async def post(self) -> int:
        waiting, self._pending = self._pending, []
        if not waiting:
            return 0
        event_ids = await self._claim([pending.instruction for pending in waiting])
        fresh = _fresh(waiting, claimed=event_ids)
        DUPLICATES.inc(len(waiting) - len(fresh))
        if fresh:
            await self._post(fresh, event_ids=event_ids)
        return len(fresh)

    async def seal(self) -> None:
        """Hold the chain only for the time of one statement and COMMIT: everybody else waits for it."""
        books, self._unsealed = self._unsealed, []
        journals = [journal for book in books for journal in book.journals]
        if not journals:
            return
        assert self._batch is not None, "what is posted has a batch"
        content = BatchContent(
            batch=self._batch,
            journal_count=len(journals),
            entry_count=sum(len(journal.entries) for journal in journals),
            content=content_hash([canonical(sealed(journal)) for journal in journals]),
            movements=self._movements(books),
        )
        await link(self._tx.session, content)
        self._ids = IdTexts()

    async def _claim(self, instructions: Sequence[Instruction]) -> dict[str, UUID]:
        """Insert the financial events that are new; external id → event id. DuplicateDiffers for liars."""
        # Sorted, so that two transactions that share ids wait for each other instead of deadlocking.
        wanted = sorted(first_of_each(instructions), key=lambda instruction: instruction.external_id)
        ids = {instruction.external_id: new_row_id() for instruction in wanted}
        rows = [self._event_row(instruction, ids) for instruction in wanted]
        (answer,) = await run(self._tx.session, _CLAIM, joined(rows))
        self._start_batch(answer["batch"])
        known = set(answer["known"])
        await self._check_known([i for i in wanted if i.external_id in known])
        return {external_id: id_ for external_id, id_ in ids.items() if external_id not in known}

    def _event_row(self, instruction: Instruction, ids: Mapping[str, UUID]) -> tuple[str | None, ...]:
        ride_id, payment_id = instruction.ride_id, instruction.payment_id
        return (
            self._ids[ids[instruction.external_id].int],
            instruction.event_type,
            self._ids[ride_id.int] if ride_id else None,
            self._ids[payment_id.int] if payment_id else None,
            str(instruction.amount),
            instruction.external_id,
            time_text(instruction.occurred_at),
            to_json(dict(instruction.metadata)).decode(),
        )

    def _start_batch(self, number: int) -> None:
        if self._batch is None:
            self._batch = number
            self._entry_ids = count(number << _ENTRY_BITS)

    async def _check_known(self, instructions: Sequence[Instruction]) -> None:
        if not instructions:
            return
        ids = [instruction.external_id for instruction in instructions]
        known = {row["external_id"]: row for row in await run(self._tx.session, _KNOWN, ids)}
        for instruction in instructions:
            row = known[instruction.external_id]
            instruction.check_same(event_type=row["event_type"], amount=money(row["amount"]))

    async def _post(self, fresh: Sequence[Pending], *, event_ids: Mapping[str, UUID]) -> None:
        """Locks come first when something is decided over a balance, and last when all is only recorded."""
        session, now = self._tx.session, fresh[-1].now
        self._account_ids = {row["code"]: row["id"] for row in await run(session, _ACCOUNT_IDS)}
        rows = BalanceRows(session, account_ids=self._account_ids)
        instructions = [pending.instruction for pending in fresh]
        deciding = any(instruction.posting is Posting.AUTHORISING for instruction in instructions)
        drivers = sorted(
            {driver_id for instruction in instructions for driver_id in instruction.drivers},
            key=attrgetter("int"),
        )
        balances = await (rows.lock_drivers(drivers, now=now) if deciding else rows.debts(drivers))
        # After the locks: whatever an earlier transaction posted about these entities is visible now.
        history = await journals_of_entities(session, entities=(i.entity for i in instructions))
        book = Book(balances=balances, history=history, entry_ids=self._entry_ids, new_id=new_row_id)
        for pending in fresh:
            book.apply(pending.instruction, now=pending.now)
        await self._insert(book, event_ids=event_ids)
        if not deciding:
            book.move_on(await rows.lock_drivers(book.changed_drivers, now=now))
        await rows.change(book.changes_by_account(), drivers=book.changed_drivers, now=now)
        await self._publish(book, fresh)
        self._unsealed.append(book)

    async def _insert(self, book: Book, *, event_ids: Mapping[str, UUID]) -> None:
        assert self._batch is not None, "claiming starts the batch"
        await insert_journals(
            self._tx.session,
            batch=self._batch,
            posted=book.posted,
            event_ids=event_ids,
            account_ids=self._account_ids,
            ids=self._ids,
        )

    def _movements(self, books: Sequence[Book]) -> dict[UUID, Decimal]:
        sums: dict[UUID, Decimal] = {}
        for book in books:
            for code, change in book.movements().items():
                account_id = self._account_ids[code]
                sums[account_id] = sums.get(account_id, ZERO) + change
        return sums

    async def _publish(self, book: Book, fresh: Sequence[Pending]) -> None:
        publish = self._tx.json_publisher(LedgerPosted)
        for posted, pending in zip(book.posted, fresh, strict=True):
            for journal in posted.journals:
                key, payload = posted_json(journal, ids=self._ids)
                publish(key, payload, 0, pending.cause, pending.trace)
            decisions = book.decisions_of(posted)
            if decisions:
                with self._on_behalf_of(pending):
                    for fact in decisions:
                        await self._tx.publish(fact)
        scope = self._tx.scope
        trace = current_headers() if scope.trace is None else scope.trace
        publish = self._tx.json_publisher(LedgerDriverBalanceChanged)
        for balance in book.changed_balances():
            publish(*balance_json(balance, ids=self._ids), scope.cause, trace)
        counted = list(book.posted)
        self._tx.after_commit(lambda: _count(counted))

    @contextmanager
    def _on_behalf_of(self, pending: Pending) -> Iterator[None]:
        """What is published names the message that ordered it, and continues that message's trace."""
        scope = self._tx.scope
        outer = scope.cause, scope.trace
        scope.cause, scope.trace = pending.cause, pending.trace
        try:
            yield
        finally:
            scope.cause, scope.trace = outer


def _fresh(waiting: Sequence[Pending], *, claimed: dict[str, UUID]) -> list[Pending]:
    """The first of each claimed external id, in the order in which they were added."""
    first: dict[str, Pending] = {}
    for pending in waiting:
        if pending.instruction.external_id in claimed:
            first.setdefault(pending.instruction.external_id, pending)
    return list(first.values())


async def _count(posted: Sequence[Posted]) -> None:
    BATCH.observe(len(posted))
    journals = Counter([journal.draft.event_type for one in posted for journal in one.journals])
    for event_type, number in journals.items():
        JOURNALS.labels(event_type=event_type).inc(number)
    for one in posted:
        decision = one.outcome.decision
        if decision is not None and decision.reason is not None:
            HOLDS_REFUSED.labels(reason=decision.reason).inc()
