"""Journals and their entries as rows, both ways."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.ledger import EntryType
from kernel.money import money
from ledger.adapters.bulk import IdTexts, joined, rows_of, run, time_text
from ledger.domain.book import Posted
from ledger.domain.journal import DEBIT, Draft, Entry, Journal, Line

_JOURNAL: Final = {
    "id": "uuid",
    "transaction_id": "text",
    "event_id": "uuid",
    "event_type": "text",
    "entity_type": "text",
    "entity_id": "text",
    "reference_number": "text",
    "description": "text",
    "driver_id": "uuid",
    "line_count": "smallint",
    "reverses": "uuid",
    "transaction_date": "date",
    "occurred_at": "timestamptz",
    "created_at": "timestamptz",
}
# What an entry repeats of its journal is not sent again, nor ids that follow each other: its own fields come as
# text, one line an entry, its account as a place in the array $3.
_JOURNAL_AND_LINES: Final = {**_JOURNAL, "first_entry": "bigint", "lines": "text"}
_REPEATED: Final = (
    "transaction_id, entity_type, entity_id, reference_number, description, transaction_date, created_at"
)
# One statement: the database takes no journal without its entries, and no entry without its journal.
_POST: Final = f"""
WITH j AS MATERIALIZED ({rows_of(_JOURNAL_AND_LINES, parameter=2)}),
posted AS (
  INSERT INTO journals ({", ".join(_JOURNAL)}, batch)
  SELECT {", ".join(_JOURNAL)}, $1::bigint FROM j)
INSERT INTO ledger_entries (journal_id, {_REPEATED}, line, id, account_id, entry_type, amount, driver_id,
                            passenger_id, reversal_entry_id, reversed)
SELECT j.id, {_REPEATED}, e.line, j.first_entry + e.line - 1, ($3::uuid[])[e.own[1]::integer], e.own[2],
       e.own[3]::numeric, e.own[4]::uuid, e.own[5]::uuid, e.own[6]::bigint, e.own[6] IS NOT NULL
FROM j CROSS JOIN LATERAL (
  SELECT string_to_array(l.text, ',', '') AS own, l.line
  FROM string_to_table(j.lines, ';') WITH ORDINALITY AS l(text, line) OFFSET 0) AS e"""  # noqa: S608 - constants of this module

_SELECT: Final = """
SELECT j.id, j.transaction_id, j.event_type, j.entity_type, j.entity_id, j.reference_number, j.description,
       j.driver_id, j.reverses, j.transaction_date, j.occurred_at, j.created_at,
       e.id AS entry_id, a.code, e.entry_type, e.amount, e.driver_id AS entry_driver_id, e.passenger_id,
       e.reversal_entry_id
FROM journals j
JOIN ledger_entries e ON e.journal_id = j.id AND e.transaction_date = j.transaction_date
JOIN ledger_accounts a ON a.id = e.account_id
"""
_ORDER: Final = " ORDER BY j.created_at, j.id, e.id"

_OF_ENTITIES: Final = "WHERE (j.entity_type, j.entity_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))"
_BY_ENTITY: Final = _SELECT + _OF_ENTITIES + _ORDER
_BY_TRANSACTION: Final = _SELECT + "WHERE j.transaction_id = $1" + _ORDER


async def insert_journals(
    session: AsyncSession,
    *,
    batch: int,
    posted: Sequence[Posted],
    event_ids: Mapping[str, UUID],
    account_ids: Mapping[str, UUID],
    ids: IdTexts,
) -> None:
    """Insert all journals and their entries with one statement."""
    places = {code: place for place, code in enumerate(account_ids, start=1)}
    rows = [
        _journal_row(journal, event_ids[one.instruction.external_id], places, ids)
        for one in posted
        for journal in one.journals
    ]
    if rows:
        await run(session, _POST, batch, joined(rows), list(account_ids.values()))


async def journals_of_entities(
    session: AsyncSession, *, entities: Iterable[tuple[str, str]]
) -> list[Journal]:
    """Everything posted about these entities, oldest first."""
    types, ids = zip(*sorted(set(entities)), strict=True)
    return await _read(session, _BY_ENTITY, list(types), list(ids))


async def journal_of_transaction(session: AsyncSession, *, transaction_id: str) -> Journal | None:
    """The journal of that transaction id."""
    found = await _read(session, _BY_TRANSACTION, transaction_id)
    return found[0] if found else None


async def _read(session: AsyncSession, sql: str, *values: Any) -> list[Journal]:
    rows = await run(session, sql, *values)
    return [_journal(list(group)) for _, group in groupby(rows, key=lambda row: row["id"])]


def _journal_row(
    journal: Journal, event_id: UUID, places: Mapping[str, int], ids: IdTexts
) -> tuple[str | None, ...]:
    id_, draft, entries, occurred_at, posted_at, transaction_date = journal
    return (
        ids[id_.int],
        draft.transaction_id,
        ids[event_id.int],
        draft.event_type,
        draft.entity_type,
        draft.entity_id,
        draft.reference_number,
        draft.description,
        ids[draft.driver_id.int] if draft.driver_id else None,
        str(len(entries)),
        ids[draft.reverses.int] if draft.reverses else None,
        transaction_date.isoformat(),
        time_text(occurred_at),
        time_text(posted_at),
        str(entries[0].id),
        ";".join([_own_fields(entry.line, places, ids) for entry in entries]),
    )


def _own_fields(line: Line, places: Mapping[str, int], ids: IdTexts) -> str:
    """Numbers, ids and the names of sides: nothing that could hold a separator. What is left out is NULL."""
    account_code, entry_type, amount, driver_id, passenger_id, reverses = line
    own = f"{places[account_code]},{'DEBIT' if entry_type is DEBIT else 'CREDIT'},{amount!s}"
    if driver_id is None and passenger_id is None and reverses is None:
        return own
    driver = ids[driver_id.int] if driver_id else ""
    passenger = ids[passenger_id.int] if passenger_id else ""
    return f"{own},{driver},{passenger},{reverses or ''}"


def _journal(rows: Sequence[asyncpg.Record]) -> Journal:
    head = rows[0]
    entries = tuple(_entry(row) for row in rows)
    draft = Draft(
        transaction_id=head["transaction_id"],
        event_type=head["event_type"],
        entity_type=head["entity_type"],
        entity_id=head["entity_id"],
        description=head["description"],
        lines=tuple(entry.line for entry in entries),
        reference_number=head["reference_number"],
        driver_id=head["driver_id"],
        reverses=head["reverses"],
    )
    return Journal(
        id=head["id"],
        draft=draft,
        entries=entries,
        occurred_at=head["occurred_at"],
        posted_at=head["created_at"],
        transaction_date=head["transaction_date"],
    )


def _entry(row: asyncpg.Record) -> Entry:
    line = Line(
        account_code=row["code"],
        entry_type=EntryType(row["entry_type"]),
        amount=money(row["amount"]),
        driver_id=row["entry_driver_id"],
        passenger_id=row["passenger_id"],
        reverses=row["reversal_entry_id"],
    )
    return Entry(id=row["entry_id"], line=line)
