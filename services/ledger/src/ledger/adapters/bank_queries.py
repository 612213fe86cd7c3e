"""The questions that reconciling asks of journals, entries, lines and matches."""

from typing import Final

from sqlalchemy import text

_BANK_ENTRIES: Final = """
FROM journals j
JOIN ledger_entries e ON e.journal_id = j.id AND e.transaction_date = j.transaction_date
JOIN ledger_accounts a ON a.id = e.account_id AND a.code = '1100'
LEFT JOIN statement_matches m ON m.entry_id = e.id
"""
_AMOUNT: Final = "CASE e.entry_type WHEN 'DEBIT' THEN e.amount ELSE -e.amount END"
_ENTRY: Final = f"""
SELECT e.id, j.id AS journal_id, j.transaction_id, j.event_type, {_AMOUNT} AS amount, j.occurred_at,
       (SELECT f.metadata->>'return_id' FROM financial_events f WHERE f.id = j.event_id) AS return_id,
       e.reversal_entry_id AS reverses
{_BANK_ENTRIES}"""  # noqa: S608 - constants of this module
_OCCURRED: Final = "j.occurred_at >= :start AND j.occurred_at < :end"

CANDIDATES: Final = text(f"""
{_ENTRY}
WHERE m.entry_id IS NULL AND j.event_type = ANY(CAST(:event_types AS text[]))
  AND (j.reference_number = :e2e_id
       OR (j.event_type = :manual AND j.reference_number = :reference)
       OR (j.entity_type = 'PAYOUT' AND j.entity_id = :payout_id)
       OR (CAST(:e2e_id AS text) IS NULL AND j.event_id IN
           (SELECT id FROM financial_events WHERE metadata ? 'txid' AND metadata->>'txid' = :txid)))
ORDER BY e.id""")  # noqa: S608 - constants of this module

ENTRIES_ALONE: Final = text(f"{_ENTRY} WHERE m.entry_id IS NULL AND {_OCCURRED} ORDER BY e.id")

UNMATCHED_LINES: Final = text("""
SELECT l.* FROM statement_lines l
WHERE (CAST(:day AS date) IS NULL OR l.day = :day)
  AND NOT EXISTS (SELECT 1 FROM statement_matches m WHERE m.line_id = l.line_id)
  AND NOT EXISTS (SELECT 1 FROM reconciliation_cases c WHERE c.line_id = l.line_id)
ORDER BY l.occurred_at, l.line_id
""")

CONTESTED: Final = text("""
SELECT l.* FROM statement_lines l
JOIN reconciliation_cases c ON c.line_id = l.line_id AND c.kind = 'amount_differs'
WHERE l.day = :day
""")

# An entry and its line may fall on two sides of a midnight: `shifted` is what matched so.
SUMS: Final = text(f"""
WITH line AS (
  SELECT l.line_id, l.amount, EXISTS (SELECT 1 FROM statement_matches m WHERE m.line_id = l.line_id) AS matched
  FROM statement_lines l WHERE l.day = :day),
entry AS (
  SELECT {_AMOUNT} AS amount, m.line_id, l.day AS line_day {_BANK_ENTRIES}
  LEFT JOIN statement_lines l ON l.line_id = m.line_id WHERE {_OCCURRED}),
elsewhere AS (
  SELECT sum({_AMOUNT}) AS amount
  FROM statement_lines l JOIN statement_matches m ON m.line_id = l.line_id
  JOIN journals j ON j.id = m.journal_id
  JOIN ledger_entries e ON e.journal_id = j.id AND e.transaction_date = j.transaction_date AND e.id = m.entry_id
  WHERE l.day = :day AND NOT ({_OCCURRED}))
SELECT (SELECT count(*) FROM line) AS lines,
       (SELECT coalesce(sum(amount), 0) FROM line) AS lines_total,
       (SELECT coalesce(sum(amount), 0) FROM entry) AS booked,
       (SELECT coalesce(sum(amount), 0) FROM entry WHERE line_id IS NULL) AS entries_alone,
       (SELECT coalesce(sum(amount), 0) FROM line WHERE NOT matched) AS lines_alone,
       (SELECT coalesce(sum(amount), 0) FROM entry WHERE line_day <> :day)
         - coalesce((SELECT amount FROM elsewhere), 0) AS shifted
""")  # noqa: S608 - constants of this module

FLIGHT: Final = text(f"""
SELECT coalesce(sum(least(moved, 0)), 0) AS low, coalesce(sum(greatest(moved, 0)), 0) AS high
FROM (SELECT CASE WHEN j.occurred_at <= :at THEN -1 ELSE 1 END * {_AMOUNT} AS moved {_BANK_ENTRIES}
      WHERE {_OCCURRED}) AS around
""")  # noqa: S608 - constants of this module

DAYS: Final = text("""
SELECT s.day, s.line_count, s.came_in, s.went_out, s.balance, s.gap, s.closed_at, s.checked_at
FROM bank_statements s WHERE s.day < coalesce(CAST(:before AS date), 'infinity')
ORDER BY s.day DESC LIMIT :limit
""")

DAY: Final = text(f"""
WITH entry AS (SELECT {_AMOUNT} AS amount, m.line_id {_BANK_ENTRIES} WHERE {_OCCURRED})
SELECT (SELECT count(*) FROM statement_lines WHERE day = :day) AS arrived,
       (SELECT count(DISTINCT m.line_id) FROM statement_matches m JOIN statement_lines l USING (line_id)
        WHERE l.day = :day) AS matched,
       (SELECT coalesce(sum(amount), 0.00) FROM entry WHERE amount > 0) AS booked_in,
       (SELECT coalesce(sum(amount), 0.00) FROM entry WHERE amount < 0) AS booked_out,
       (SELECT count(*) FROM entry WHERE line_id IS NULL) AS entries_alone,
       (SELECT count(*) FROM reconciliation_cases WHERE day = :day AND status = 'open') AS open_cases,
       (SELECT count(*) FROM reconciliation_cases WHERE day = :day) AS cases
""")  # noqa: S608 - constants of this module
