"""The hash chain in Postgres."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.domain.seal import Seal, SealedEntry, SealedJournal

_LOCK_CHAIN: Final = text("SELECT pg_advisory_xact_lock(hashtext('ledger seals'))")
_SEALS: Final = """
SELECT seq, from_xid::text, to_xid::text, journal_count, entry_count, previous_hash, hash, sealed_at
FROM ledger_seals """
_LAST: Final = text(_SEALS + "ORDER BY seq DESC LIMIT 1")
_AFTER: Final = text(_SEALS + "WHERE seq > :seq ORDER BY seq LIMIT :limit")
# Whole transactions, in order of their ids, up to the one that holds the `limit`th journal: a backlog is
# sealed piece by piece. Below the horizon every transaction has ended.
_WINDOW: Final = text("""
WITH edge AS (
  SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon,
         coalesce((SELECT to_xid FROM ledger_seals ORDER BY seq DESC LIMIT 1), '0') AS since),
full_at AS (
  SELECT j.xid FROM journals j, edge WHERE j.xid >= edge.since AND j.xid < edge.horizon
  ORDER BY j.xid OFFSET :limit - 1 LIMIT 1),
beyond AS (
  SELECT j.xid FROM journals j, edge, full_at WHERE j.xid > full_at.xid AND j.xid < edge.horizon
  ORDER BY j.xid LIMIT 1)
SELECT edge.since::text, coalesce((SELECT xid FROM beyond), edge.horizon)::text AS until FROM edge
""")
_JOURNALS: Final = text("""
SELECT j.id, j.transaction_id, j.event_type, j.entity_type, j.entity_id, j.reference_number,
       j.transaction_date, j.occurred_at, e.id AS entry_id, a.code, e.entry_type, e.amount,
       e.driver_id, e.passenger_id, e.reversal_entry_id
FROM journals j
LEFT JOIN ledger_entries e ON e.transaction_id = j.transaction_id
LEFT JOIN ledger_accounts a ON a.id = e.account_id
WHERE j.xid >= CAST(CAST(:since AS text) AS xid8) AND j.xid < CAST(CAST(:until AS text) AS xid8)
ORDER BY j.xid, j.id, e.id
""")
_INSERT: Final = text("""
INSERT INTO ledger_seals
  (seq, from_xid, to_xid, journal_count, entry_count, previous_hash, hash, sealed_at)
VALUES (:seq, CAST(CAST(:from_xid AS text) AS xid8), CAST(CAST(:to_xid AS text) AS xid8),
        :journal_count, :entry_count, :previous_hash, :hash, :sealed_at)
""")


class SqlSeals:
    """Adds links to the chain, one transaction at a time, and reads them back."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def last(self) -> Seal | None:
        await self._session.execute(_LOCK_CHAIN)
        row = (await self._session.execute(_LAST)).mappings().one_or_none()
        return _seal(row) if row else None

    async def unsealed(self, *, limit: int) -> tuple[str, Sequence[SealedJournal]]:
        row = (await self._session.execute(_WINDOW, {"limit": limit})).one()
        return row.until, await self._between(row.since, row.until)

    async def add(self, seal: Seal) -> None:
        values = {name: getattr(seal, name) for name in Seal.__dataclass_fields__}
        await self._session.execute(_INSERT, values)

    async def after(self, seq: int, *, limit: int) -> list[Seal]:
        rows = await self._session.execute(_AFTER, {"seq": seq, "limit": limit})
        return [_seal(row) for row in rows.mappings()]

    async def journals_of(self, seal: Seal) -> Sequence[SealedJournal]:
        return await self._between(seal.from_xid, seal.to_xid)

    async def _between(self, since: str, until: str) -> list[SealedJournal]:
        rows = (await self._session.execute(_JOURNALS, {"since": since, "until": until})).mappings()
        return [_journal(list(group)) for _, group in groupby(rows, key=lambda row: row["id"])]


def _seal(row: Mapping[Any, Any]) -> Seal:
    return Seal(**{name: row[name] for name in Seal.__dataclass_fields__})


def _journal(rows: Sequence[RowMapping]) -> SealedJournal:
    head = rows[0]
    return SealedJournal(
        id=head["id"],
        transaction_id=head["transaction_id"],
        event_type=head["event_type"],
        entity_type=head["entity_type"],
        entity_id=head["entity_id"],
        reference_number=head["reference_number"],
        transaction_date=head["transaction_date"],
        occurred_at=head["occurred_at"],
        entries=tuple(_entry(row) for row in rows if row["entry_id"] is not None),
    )


def _entry(row: RowMapping) -> SealedEntry:
    return SealedEntry(
        id=row["entry_id"],
        account_code=row["code"],
        entry_type=row["entry_type"],
        amount=row["amount"],
        driver_id=row["driver_id"],
        passenger_id=row["passenger_id"],
        reversal_entry_id=row["reversal_entry_id"],
    )
