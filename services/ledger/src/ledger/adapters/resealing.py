"""Seals anew what is posted already: once, by the migration that brought a seal for each batch."""

from typing import Final

from sqlalchemy import Connection, text

from ledger.adapters.sealed_rows import ORDER, SELECT, sealed_journals
from ledger.domain.seal import Seal, next_seal

_JOURNALS_IN_ONE: Final = 2000

_NUMBER: Final = text("""
UPDATE journals j SET batch = n.batch
FROM (SELECT id, 1 + (row_number() OVER (ORDER BY created_at, id) - 1) / :size AS batch FROM journals) n
WHERE n.id = j.id
""")
_BATCHES: Final = text("SELECT batch, max(created_at) AS at FROM journals GROUP BY batch ORDER BY batch")
_READ: Final = text(SELECT + "WHERE j.batch = :batch" + ORDER)
_ADD: Final = text("""
INSERT INTO ledger_seals (seq, batch, journal_count, entry_count, journals, entries, content, previous_hash,
                          hash, sealed_at)
VALUES (:seq, :batch, :journal_count, :entry_count, :journals, :entries, :content, :previous_hash, :hash,
        :sealed_at)
""")
_MOVEMENTS: Final = text("""
INSERT INTO ledger_movements (seq, account_id, amount)
SELECT s.seq, e.account_id, sum(CASE WHEN e.entry_type = a.normal_side THEN e.amount ELSE -e.amount END)
FROM ledger_seals s
JOIN journals j ON j.batch = s.batch
JOIN ledger_entries e ON e.journal_id = j.id
JOIN ledger_accounts a ON a.id = e.account_id AND a.owner_kind IS NULL
GROUP BY s.seq, e.account_id
""")
_HEAD: Final = text("""
UPDATE ledger_chain
SET seq = :seq, previous_hash = :previous_hash, hash = :hash, journals = :journals, entries = :entries
""")
# Ids of entries begin with their batch's number: those to come must lie above those that are.
_NEXT_BATCH: Final = text("""
SELECT setval('ledger_batch_seq', greatest(
  (SELECT coalesce(max(batch), 0) + 1 FROM journals),
  (SELECT coalesce(max(id), 0) / 1048576 + 1 FROM ledger_entries)), false)
""")


def seal_everything(connection: Connection) -> None:
    """Number the journals into batches and seal them, in order of posting."""
    connection.execute(_NUMBER, {"size": _JOURNALS_IN_ONE})
    last: Seal | None = None
    for batch, at in connection.execute(_BATCHES).all():
        journals = sealed_journals(connection.execute(_READ, {"batch": batch}))
        last = next_seal(last, batch=batch, journals=journals, sealed_at=at)
        connection.execute(_ADD, {name: getattr(last, name) for name in Seal.__dataclass_fields__})
    connection.execute(_MOVEMENTS)
    if last is not None:
        connection.execute(_HEAD, {name: getattr(last, name) for name in Seal.__dataclass_fields__})
    connection.execute(_NEXT_BATCH)
