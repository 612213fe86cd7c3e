"""The hash chain in Postgres."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.adapters.bulk import run
from ledger.adapters.sealed_rows import ORDER, SELECT, sealed_journals
from ledger.domain.seal import Seal, SealedJournal

# The chain's one row is locked from here to COMMIT: this statement comes last. So the numbers of seals are
# also the order of commit, and whoever sees one sees all before it.
_LINK: Final = """
WITH head AS (
  UPDATE ledger_chain
  SET seq = seq + 1, previous_hash = hash, hash = sha256(hash || int8send($1::bigint) || $2::bytea),
      journals = journals + $3::integer, entries = entries + $4::integer
  RETURNING *),
moved AS (
  INSERT INTO ledger_movements (seq, account_id, amount)
  SELECT head.seq, m.account_id, m.amount::numeric
  FROM head, unnest($5::uuid[], $6::text[]) AS m(account_id, amount))
INSERT INTO ledger_seals (seq, batch, journal_count, entry_count, journals, entries, content, previous_hash, hash)
SELECT seq, $1, $3, $4, journals, entries, $2, previous_hash, hash FROM head
"""
_SEALS: Final = """
SELECT seq, batch, journal_count, entry_count, journals, entries, content, previous_hash, hash, sealed_at
FROM ledger_seals """
_AFTER: Final = text(_SEALS + "WHERE seq > :seq ORDER BY seq LIMIT :limit")
_LAST: Final = text(_SEALS + "ORDER BY seq DESC LIMIT 1")
_BATCH: Final = text(SELECT + "WHERE j.batch = :batch" + ORDER)
# Counts, so that also what hangs on no journal, or on another day than its journal's, is found.
_STRAY: Final = text("""
SELECT (SELECT count(*) FROM journals) - coalesce((SELECT max(journals) FROM ledger_seals), 0) AS journals,
       (SELECT count(*) FROM ledger_entries) - coalesce((SELECT max(entries) FROM ledger_seals), 0) AS entries
""")
# Everything ever posted is counted at once.
_PATIENCE: Final = text("SELECT set_config('statement_timeout', '600000', true)")
_HEAD: Final = text("SELECT seq FROM ledger_chain")
_ANCHORED: Final = text("""
UPDATE ledger_chain SET anchored_seq = seq WHERE anchored_seq < seq RETURNING seq
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContent:
    """What one transaction posted: `content` is its hash, `movements` by id of an account without owners."""

    batch: int
    journal_count: int
    entry_count: int
    content: bytes
    movements: Mapping[UUID, Decimal]


async def link(session: AsyncSession, batch: BatchContent) -> None:
    """Add the batch to the chain; holds the chain until the transaction ends."""
    await run(
        session,
        _LINK,
        batch.batch,
        batch.content,
        batch.journal_count,
        batch.entry_count,
        list(batch.movements),
        [str(amount) for amount in batch.movements.values()],
    )


class SqlSeals:
    """Reads the chain back."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def to_anchor(self) -> Seal | None:
        changed = (await self._session.execute(_ANCHORED)).one_or_none()
        if changed is None:
            return None
        return _seal((await self._session.execute(_LAST)).mappings().one())

    async def after(self, seq: int, *, limit: int) -> list[Seal]:
        rows = await self._session.execute(_AFTER, {"seq": seq, "limit": limit})
        return [_seal(row) for row in rows.mappings()]

    async def journals_of(self, seal: Seal) -> list[SealedJournal]:
        return sealed_journals(await self._session.execute(_BATCH, {"batch": seal.batch}))

    async def head(self) -> int:
        seq: int = (await self._session.execute(_HEAD)).scalar_one()
        return seq

    async def stray(self) -> tuple[int, int]:
        await self._session.execute(_PATIENCE)
        row = (await self._session.execute(_STRAY)).one()
        return row.journals, row.entries


def _seal(row: Mapping[Any, Any]) -> Seal:
    return Seal(**{name: row[name] for name in Seal.__dataclass_fields__})
