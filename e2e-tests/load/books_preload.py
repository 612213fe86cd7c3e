"""Books that are full already: set-based SQL, under the guards of the database."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

RIDES: Final = 285_800
CHUNK: Final = 28_580

# The ids are UUIDv7 of some minutes ago, one ride a row of `ride`; what hangs on it is derived from its number.
_RIDES: Final = """
CREATE UNLOGGED TABLE preload AS
SELECT n, ms, d.owner_id AS driver_id, 1000 + n % 5000 AS centavos, 'E' || lpad(n::text, 31, 'p') AS e2e_id,
       pg_temp.v7(ms, 'e' || n) AS event_id, pg_temp.v7(ms, 'p' || n) AS payment_id,
       pg_temp.v7(ms, 'j' || n) AS journal_id
FROM generate_series(0, $1::integer - 1) n
CROSS JOIN LATERAL (SELECT (extract(epoch FROM now()) * 1000)::bigint - 600000 + n AS ms) t
JOIN (SELECT owner_id, row_number() OVER (ORDER BY owner_id) - 1 AS k, count(*) OVER () AS all_of_them
      FROM unnest($2::uuid[]) owner_id) d ON d.k = n % d.all_of_them"""
_V7: Final = """
CREATE FUNCTION pg_temp.v7(ms bigint, seed text) RETURNS uuid LANGUAGE sql AS $$
  SELECT (lpad(to_hex(ms), 12, '0') || '7' || substr(md5(seed), 1, 3) || '8' || substr(md5(seed), 4, 15))::uuid
$$"""
_EVENTS: Final = """
INSERT INTO financial_events (id, event_type, payment_intent_id, amount, external_id, occurred_at, metadata)
SELECT event_id, 'payment.confirmed', payment_id, centavos / 100.0, e2e_id, now(), '{}' FROM preload
WHERE n >= $1 AND n < $2"""
_JOURNALS: Final = """
WITH line (line, code, side, share) AS (VALUES
  (1, '1300', 'DEBIT', 5), (2, '4100', 'CREDIT', 5),
  (3, '4100', 'DEBIT', 5), (4, '4200', 'CREDIT', 1), (5, '2100', 'CREDIT', 4),
  (6, '1100', 'DEBIT', 5), (7, '1300', 'CREDIT', 5)),
chosen AS MATERIALIZED (
  SELECT *, 'payment_' || payment_id AS transaction_id FROM preload WHERE n >= $1 AND n < $2),
posted AS (
  INSERT INTO journals (id, transaction_id, event_id, event_type, entity_type, entity_id, reference_number,
    description, driver_id, line_count, transaction_date, occurred_at, created_at, batch)
  SELECT journal_id, transaction_id, event_id, 'payment.confirmed', 'PAYMENT', payment_id, e2e_id, 'preloaded',
    driver_id, 7, current_date, now(), now(), $3::bigint FROM chosen ORDER BY n)
INSERT INTO ledger_entries (id, line, transaction_id, account_id, entry_type, amount, driver_id, entity_type,
  entity_id, reference_number, description, transaction_date, created_at, journal_id)
SELECT ($3::bigint << 20) + (c.n - $1) * 7 + l.line, l.line, c.transaction_id, a.id, l.side,
  CASE l.share WHEN 5 THEN c.centavos WHEN 1 THEN c.centavos / 5 ELSE c.centavos - c.centavos / 5 END / 100.0,
  CASE a.owner_kind WHEN 'driver' THEN c.driver_id END, 'PAYMENT', c.payment_id, c.e2e_id, 'preloaded',
  current_date, now(), c.journal_id
FROM chosen c CROSS JOIN line l JOIN ledger_accounts a ON a.code = l.code
ORDER BY c.n, l.line"""
_BALANCES: Final = """
INSERT INTO account_balances (account_id, owner_id, balance, version, updated_at)
SELECT a.id, d.driver_id, CASE a.code WHEN '2100' THEN d.earned ELSE 0 END, 1, now()
FROM (SELECT driver_id, sum(centavos - centavos / 5) / 100.0 AS earned FROM preload GROUP BY driver_id) d
CROSS JOIN ledger_accounts a WHERE a.owner_kind = 'driver'"""


async def preload(url: str, *, drivers: Sequence[UUID]) -> None:
    """Two million entries, seven a ride, the drivers' balances, and fresh statistics.

    The rides are not in the hash chain: they stand for the bulk of the tables.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_V7)
        await connection.execute(_RIDES, RIDES, drivers)
        for first in range(0, RIDES, CHUNK):
            batch = await connection.fetchval("SELECT nextval('ledger_batch_seq')")
            await connection.execute(_EVENTS, first, first + CHUNK)
            await connection.execute(_JOURNALS, first, first + CHUNK, batch)
        await connection.execute(_BALANCES)
        await connection.execute("DROP TABLE preload")
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
