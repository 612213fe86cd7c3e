"""What reverses an entry never adds up to more than the entry; and what a bank balance settles.

The cap is checked where entries that reverse something are checked already: one look over the statement's rows says
whether there are any, as before, and for a statement without them nothing else is done.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Plans are made once a session, maybe while the tables are empty: never by reading a whole table.
BY_INDEX = (
    "SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off"
)
# Which accounts a statement names is a handful, so they are looked up once and not for each entry. Entries that
# disagree about their journal's id, transaction, day or entity fall in several groups, and no group has all its lines.
BALANCED = """
  IF EXISTS (
    SELECT FROM (SELECT DISTINCT p.account_id, p.driver_id IS NOT NULL AS of_driver,
                                 p.passenger_id IS NOT NULL AS of_passenger FROM posted p) k
    LEFT JOIN ledger_accounts a
      ON a.id = k.account_id AND a.classification = 'DETAIL' AND a.active
     AND (a.owner_kind IS NULL OR (a.owner_kind = 'driver' AND k.of_driver)
          OR (a.owner_kind = 'passenger' AND k.of_passenger))
    WHERE a.id IS NULL) THEN
    RAISE EXCEPTION 'an entry fits no detail account' USING ERRCODE = 'check_violation';
  END IF;
  SELECT t.journal_id, t.lines, t.difference, j.line_count INTO wrong
  FROM (SELECT p.journal_id, p.transaction_id, p.transaction_date, p.entity_type, p.entity_id,
               count(*) AS lines, min(p.line) AS first, max(p.line) AS last,
               sum(CASE p.entry_type WHEN 'DEBIT' THEN p.amount ELSE -p.amount END) AS difference
        FROM posted p GROUP BY p.journal_id, p.transaction_id, p.transaction_date, p.entity_type, p.entity_id) t
  LEFT JOIN journals j ON j.id = t.journal_id
  WHERE j.id IS NULL OR t.difference <> 0 OR t.difference = 'NaN'
     OR t.lines <> j.line_count OR t.first <> 1 OR t.last <> t.lines
     OR t.transaction_id <> j.transaction_id OR t.transaction_date <> j.transaction_date
     OR t.entity_type <> j.entity_type OR t.entity_id <> j.entity_id
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal % of % lines: % lines came, off by %',
      wrong.journal_id, wrong.line_count, wrong.lines, wrong.difference USING ERRCODE = 'check_violation';
  END IF;"""
BALANCED_BEFORE = """
  SELECT t.journal_id, t.lines, t.difference, j.line_count INTO wrong
  FROM (SELECT p.journal_id, count(*) AS lines, min(p.line) AS first, max(p.line) AS last,
               sum(CASE p.entry_type WHEN 'DEBIT' THEN p.amount ELSE -p.amount END) AS difference,
               min(p.transaction_date) AS since, max(p.transaction_date) AS until,
               min(p.transaction_id COLLATE "C") AS lowest, max(p.transaction_id COLLATE "C") AS highest,
               bool_and(a.id IS NOT NULL) AS fit
        FROM posted p
        LEFT JOIN ledger_accounts a
          ON a.id = p.account_id AND a.classification = 'DETAIL' AND a.active
         AND (a.owner_kind IS NULL OR (a.owner_kind = 'driver' AND p.driver_id IS NOT NULL)
              OR (a.owner_kind = 'passenger' AND p.passenger_id IS NOT NULL))
        GROUP BY p.journal_id) t
  LEFT JOIN journals j ON j.id = t.journal_id
  WHERE j.id IS NULL OR NOT t.fit OR t.difference <> 0 OR t.difference = 'NaN'
     OR t.lines <> j.line_count OR t.first <> 1 OR t.last <> t.lines
     OR t.since <> j.transaction_date OR t.until <> j.transaction_date
     OR t.lowest <> j.transaction_id OR t.highest <> j.transaction_id
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal % of % lines: % lines came, off by %, or an entry fits no detail account',
      wrong.journal_id, wrong.line_count, wrong.lines, wrong.difference USING ERRCODE = 'check_violation';
  END IF;"""
OF_THE_OTHER_SIDE = """
  SELECT p.journal_id INTO wrong
  FROM posted p
  WHERE p.reversed AND NOT EXISTS (
    SELECT FROM journals oj JOIN ledger_entries o ON o.journal_id = oj.id
    WHERE oj.entity_type = p.entity_type AND oj.entity_id = p.entity_id
      AND o.id = p.reversal_entry_id AND o.entry_type <> p.entry_type)
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal % reverses no entry of the other side of its entity', wrong.journal_id
      USING ERRCODE = 'check_violation';
  END IF;"""
# Whoever reverses entries of an entity waits for whoever does so already, and then sees what they posted: each
# statement of a trigger has a snapshot of its own. Sorted, so that two batches do not wait for each other.
UP_TO_THE_ENTRY = """
  IF EXISTS (SELECT FROM posted p WHERE p.reversed) THEN
    PERFORM pg_advisory_xact_lock(hashtext('ledger reversal'), e.entity)
    FROM (SELECT DISTINCT hashtext(p.entity_type || ':' || p.entity_id) AS entity
          FROM posted p WHERE p.reversed ORDER BY 1) e;
    SELECT p.journal_id INTO wrong
    FROM posted p
    WHERE p.reversed AND NOT EXISTS (
      SELECT FROM journals oj
      JOIN ledger_entries o ON o.journal_id = oj.id AND o.transaction_date = oj.transaction_date
      WHERE oj.entity_type = p.entity_type AND oj.entity_id = p.entity_id
        AND o.id = p.reversal_entry_id AND o.entry_type <> p.entry_type
        AND o.amount >= (
          SELECT sum(r.amount) FROM journals rj
          JOIN ledger_entries r ON r.journal_id = rj.id AND r.transaction_date = rj.transaction_date
          WHERE rj.entity_type = p.entity_type AND rj.entity_id = p.entity_id
            AND r.reversed AND r.reversal_entry_id = o.id))
    LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'journal % reverses no entry of the other side of its entity, or more than is left of it',
        wrong.journal_id USING ERRCODE = 'check_violation';
    END IF;
  END IF;"""
CHECK_ENTRIES = """
CREATE OR REPLACE FUNCTION ledger_check_entries() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp {by_index} AS $$
DECLARE wrong record;
BEGIN{balanced}{reversals}
  RETURN NULL;
END $$"""
# Hardly any journal reverses another: an index that also holds all the others is work for each of them.
REVERSED_ONCE = (
    "ALTER TABLE journals DROP CONSTRAINT journals_reverses_key",
    "CREATE UNIQUE INDEX uq_journals_reverses ON journals (reverses) WHERE reverses IS NOT NULL",
)
REVERSED_ONCE_BEFORE = (
    "DROP INDEX uq_journals_reverses",
    "ALTER TABLE journals ADD CONSTRAINT journals_reverses_key UNIQUE (reverses)",
)
BALANCE_FORWARD = (
    "ALTER TABLE bank_statements ADD COLUMN gap_low numeric(19,2), ADD COLUMN gap_high numeric(19,2)",
    "ALTER TABLE bank_statements ADD CONSTRAINT ck_bank_statements_gap CHECK (gap_low <= gap_high)",
    """
COMMENT ON COLUMN bank_statements.gap_low IS
'The account held at least so much more than is booked, by this balance; null: not judged'""",
)


def upgrade() -> None:
    op.execute(CHECK_ENTRIES.format(by_index=BY_INDEX, balanced=BALANCED, reversals=UP_TO_THE_ENTRY))
    for statement in (*REVERSED_ONCE, *BALANCE_FORWARD):
        op.execute(statement)


def downgrade() -> None:
    for statement in REVERSED_ONCE_BEFORE:
        op.execute(statement)
    op.execute("ALTER TABLE bank_statements DROP COLUMN gap_low, DROP COLUMN gap_high")
    op.execute(CHECK_ENTRIES.format(by_index=BY_INDEX, balanced=BALANCED_BEFORE, reversals=OF_THE_OTHER_SIDE))
