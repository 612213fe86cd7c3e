"""Rows of journals and entries as a seal sees them: every column as it stands, nothing corrected on the way."""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from ledger.domain.journal import Entry, Line
from ledger.domain.seal import SealedJournal

# A journal's place in its batch is that of its first entry; entry ids follow the order of posting. The last
# column says whether the entry repeats its journal: what is written twice must not say two things. A seal has
# room for the four digits of a code: a longer one is no account's.
SELECT: Final = """
SELECT j.batch, j.id, j.transaction_id, j.event_type, j.entity_type, j.entity_id, j.reference_number,
       j.description, j.driver_id, j.reverses, j.line_count, j.transaction_date, j.occurred_at, j.created_at,
       e.id AS entry_id, CASE octet_length(a.code) WHEN 4 THEN a.code ELSE '?' END, e.entry_type, e.amount,
       e.driver_id AS entry_driver_id, e.passenger_id, e.reversal_entry_id,
       (e.transaction_id, e.entity_type, e.entity_id, e.description, e.created_at, e.reversed)
         = (j.transaction_id, j.entity_type, j.entity_id, j.description, j.created_at,
            e.reversal_entry_id IS NOT NULL)
       AND e.reference_number IS NOT DISTINCT FROM j.reference_number AS true_copy
FROM journals j
LEFT JOIN ledger_entries e ON e.journal_id = j.id AND e.transaction_date = j.transaction_date
LEFT JOIN ledger_accounts a ON a.id = e.account_id
"""
ORDER: Final = " ORDER BY j.batch, min(e.id) OVER (PARTITION BY j.id), j.id, e.id"

_HEAD_COLUMNS: Final = 14
_ID: Final = itemgetter(1)


def sealed_journals(rows: Iterable[Any]) -> list[SealedJournal]:
    """The journals of these rows, which are in order, and of one batch."""
    return [_journal([tuple(row) for row in group]) for _, group in groupby(rows, key=_ID)]


def _journal(rows: list[tuple[Any, ...]]) -> SealedJournal:
    posted = [row for row in rows if row[_HEAD_COLUMNS] is not None]
    entries = tuple(Entry(row[_HEAD_COLUMNS], Line(*row[_HEAD_COLUMNS + 1 : -1])) for row in posted)
    head = (*rows[0][1:_HEAD_COLUMNS], entries, all(row[-1] for row in posted))
    return SealedJournal._make(head)
