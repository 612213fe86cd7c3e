"""Journals and their entries as rows, both ways."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.ledger import EntryType
from kernel.money import money
from ledger.adapters.bulk import arrays_of, bulk_insert
from ledger.domain.book import Posted
from ledger.domain.journal import Draft, Entry, Journal, Line

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
_INSERT_JOURNALS: Final = bulk_insert("journals", _JOURNAL)

_ENTRY: Final = {
    "id": "bigint",
    "transaction_id": "text",
    "account_id": "uuid",
    "entry_type": "text",
    "amount": "numeric",
    "driver_id": "uuid",
    "entity_type": "text",
    "entity_id": "text",
    "reference_number": "text",
    "description": "text",
    "reversed": "boolean",
    "reversal_entry_id": "bigint",
    "transaction_date": "date",
    "created_at": "timestamptz",
    "journal_id": "uuid",
    "passenger_id": "uuid",
}
_INSERT_ENTRIES: Final = bulk_insert("ledger_entries", _ENTRY)

_SELECT: Final = """
SELECT j.id, j.transaction_id, j.event_type, j.entity_type, j.entity_id, j.reference_number, j.description,
       j.driver_id, j.reverses, j.transaction_date, j.occurred_at, j.created_at,
       e.id AS entry_id, a.code, e.entry_type, e.amount, e.driver_id AS entry_driver_id, e.passenger_id,
       e.reversal_entry_id
FROM journals j
JOIN ledger_entries e ON e.transaction_id = j.transaction_id AND e.transaction_date = j.transaction_date
JOIN ledger_accounts a ON a.id = e.account_id
"""
_ORDER: Final = " ORDER BY j.created_at, j.id, e.id"

_OF_ENTITIES: Final = """WHERE (j.entity_type, j.entity_id) IN
      (SELECT * FROM unnest(CAST(:types AS text[]), CAST(:ids AS text[])))"""
_BY_ENTITY: Final = text(_SELECT + _OF_ENTITIES + _ORDER)
_BY_TRANSACTION: Final = text(_SELECT + "WHERE j.transaction_id = :transaction_id" + _ORDER)


async def insert_journals(
    session: AsyncSession,
    *,
    posted: Sequence[Posted],
    event_ids: Mapping[str, UUID],
    account_ids: Mapping[str, UUID],
) -> None:
    """Insert all journals with one statement and all entries with another."""
    journals = [(j, event_ids[p.instruction.external_id]) for p in posted for j in p.journals]
    if not journals:
        return
    rows = [_journal_row(journal, event_id) for journal, event_id in journals]
    await session.execute(_INSERT_JOURNALS, arrays_of(rows, _JOURNAL))
    entries = [_entry_row(j, entry, account_ids) for j, _ in journals for entry in j.entries]
    await session.execute(_INSERT_ENTRIES, arrays_of(entries, _ENTRY))


async def journals_of_entities(
    session: AsyncSession, *, entities: Iterable[tuple[str, str]]
) -> list[Journal]:
    """Everything posted about these entities, oldest first."""
    types, ids = zip(*sorted(set(entities)), strict=True)
    return await _read(session, _BY_ENTITY, {"types": list(types), "ids": list(ids)})


async def journal_of_transaction(session: AsyncSession, *, transaction_id: str) -> Journal | None:
    """The journal of that transaction id."""
    found = await _read(session, _BY_TRANSACTION, {"transaction_id": transaction_id})
    return found[0] if found else None


async def _read(session: AsyncSession, query: TextClause, values: Mapping[str, Any]) -> list[Journal]:
    rows: Sequence[RowMapping] = (await session.execute(query, values)).mappings().all()
    return [_journal(list(group)) for _, group in groupby(rows, key=lambda row: row["id"])]


def _journal_row(journal: Journal, event_id: UUID) -> dict[str, Any]:
    draft = journal.draft
    return {
        "id": journal.id,
        "transaction_id": draft.transaction_id,
        "event_id": event_id,
        "event_type": draft.event_type,
        "entity_type": draft.entity_type,
        "entity_id": draft.entity_id,
        "reference_number": draft.reference_number,
        "description": draft.description,
        "driver_id": draft.driver_id,
        "line_count": len(draft.lines),
        "reverses": draft.reverses,
        "transaction_date": journal.transaction_date,
        "occurred_at": journal.occurred_at,
        "created_at": journal.posted_at,
    }


def _entry_row(journal: Journal, entry: Entry, account_ids: Mapping[str, UUID]) -> dict[str, Any]:
    draft, line = journal.draft, entry.line
    return {
        "id": entry.id,
        "transaction_id": draft.transaction_id,
        "account_id": account_ids[line.account_code],
        "entry_type": line.entry_type.value,
        "amount": line.amount,
        "driver_id": line.driver_id,
        "entity_type": draft.entity_type,
        "entity_id": draft.entity_id,
        "reference_number": draft.reference_number,
        "description": draft.description,
        "reversed": line.reverses is not None,
        "reversal_entry_id": line.reverses,
        "transaction_date": journal.transaction_date,
        "created_at": journal.posted_at,
        "journal_id": journal.id,
        "passenger_id": line.passenger_id,
    }


def _journal(rows: Sequence[RowMapping]) -> Journal:
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


def _entry(row: RowMapping) -> Entry:
    line = Line(
        account_code=row["code"],
        entry_type=EntryType(row["entry_type"]),
        amount=money(row["amount"]),
        driver_id=row["entry_driver_id"],
        passenger_id=row["passenger_id"],
        reverses=row["reversal_entry_id"],
    )
    return Entry(id=row["entry_id"], line=line)
