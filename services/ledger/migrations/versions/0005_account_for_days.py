"""Days and people: snapshots and closed days, manual journals with four eyes, bank statements, resolved cases."""

from alembic import op

from storage.migrations import app_role, create_idempotency_table, drop_idempotency_table

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = (
    # A snapshot shuts its day: nothing is posted into it afterwards. `latest_occurred_at` is of everything
    # recorded up to its end, so that a reader by occurred time knows from when on the snapshot is complete.
    """
CREATE TABLE day_snapshots (
  day                date        PRIMARY KEY,
  entries            bigint      NOT NULL CHECK (entries >= 0),
  latest_occurred_at timestamptz NOT NULL,
  taken_at           timestamptz NOT NULL
)""",
    # Sparse: one row a day on which the account (nil owner) or the sub-balance moved. Sums since the beginning.
    """
CREATE TABLE day_balances (
  account_id uuid          NOT NULL REFERENCES ledger_accounts (id),
  owner_id   uuid          NOT NULL,
  day        date          NOT NULL REFERENCES day_snapshots (day),
  debits     numeric(24,6) NOT NULL CHECK (debits >= 0),
  credits    numeric(24,6) NOT NULL CHECK (credits >= 0),
  PRIMARY KEY (account_id, owner_id, day)
)""",
    """
CREATE TABLE closed_days (
  day       date        PRIMARY KEY REFERENCES day_snapshots (day),
  closed_by uuid        NOT NULL,
  closed_at timestamptz NOT NULL
)""",
    """
CREATE TABLE manual_journals (
  id               uuid          PRIMARY KEY,
  transaction_id   text          NOT NULL UNIQUE,
  description      text          NOT NULL CHECK (description <> ''),
  reason           text          NOT NULL CHECK (reason <> ''),
  reference_number text,
  lines            jsonb         NOT NULL,
  amount           numeric(19,6) NOT NULL CHECK (amount > 0),
  status           text          NOT NULL DEFAULT 'proposed'
                                 CHECK (status IN ('proposed', 'approved', 'rejected')),
  proposed_by      uuid          NOT NULL,
  proposed_at      timestamptz   NOT NULL,
  decided_by       uuid,
  decided_at       timestamptz,
  decision_reason  text,
  CONSTRAINT ck_manual_journals_four_eyes CHECK (status <> 'approved' OR decided_by <> proposed_by),
  CONSTRAINT ck_manual_journals_decided CHECK (
    (status = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL))
)""",
    "CREATE INDEX ix_manual_journals_listed ON manual_journals (proposed_at, id)",
    """
CREATE TABLE bank_statements (
  day         date          PRIMARY KEY,
  line_count  integer       NOT NULL CHECK (line_count >= 0),
  came_in     numeric(19,2) NOT NULL CHECK (came_in >= 0),
  went_out    numeric(19,2) NOT NULL CHECK (went_out <= 0),
  balance     numeric(19,2),
  closed_at   timestamptz   NOT NULL,
  received_at timestamptz   NOT NULL,
  checked_at  timestamptz,
  gap         numeric(19,2)
)""",
    "COMMENT ON COLUMN bank_statements.checked_at IS 'When the grace period was over and cases were opened'",
    "COMMENT ON COLUMN bank_statements.gap IS 'Its balance less what is booked up to closed_at'",
    """
CREATE TABLE statement_lines (
  line_id     text          PRIMARY KEY,
  day         date          NOT NULL,
  kind        text          NOT NULL,
  amount      numeric(19,2) NOT NULL CHECK (amount <> 0),
  e2e_id      text,
  txid        text,
  id_envio    text,
  return_id   text,
  occurred_at timestamptz   NOT NULL,
  received_at timestamptz   NOT NULL
)""",
    "CREATE INDEX ix_statement_lines_day ON statement_lines (day)",
    # A bank entry speaks for one line only; a line may be several entries (a surplus is posted apart).
    """
CREATE TABLE statement_matches (
  entry_id   bigint      PRIMARY KEY,
  line_id    text        NOT NULL REFERENCES statement_lines (line_id),
  journal_id uuid        NOT NULL REFERENCES journals (id),
  matched_at timestamptz NOT NULL
)""",
    "CREATE INDEX ix_statement_matches_line ON statement_matches (line_id)",
    "CREATE INDEX ix_journals_occurred ON journals USING brin (occurred_at, transaction_date)",
)

CASES_FORWARD = (
    "ALTER TABLE reconciliation_cases DROP CONSTRAINT reconciliation_cases_status_check",
    "UPDATE reconciliation_cases SET status = 'open'",
    """
ALTER TABLE reconciliation_cases
  ADD COLUMN day date, ADD COLUMN line_id text, ADD COLUMN journal_id uuid,
  ADD COLUMN resolution text CHECK (resolution IN ('explained', 'corrected_by_journal', 'written_off')),
  ADD COLUMN note text, ADD COLUMN resolution_journal uuid REFERENCES journals (id),
  ADD COLUMN resolved_by uuid, ADD COLUMN resolved_at timestamptz,
  ALTER COLUMN amount TYPE numeric(19,2),
  ADD CONSTRAINT reconciliation_cases_status_check CHECK (status IN ('open', 'resolved')),
  ADD CONSTRAINT ck_reconciliation_cases_resolved CHECK (
    (status = 'resolved') = (resolved_by IS NOT NULL)
    AND (resolved_by IS NULL) = (resolved_at IS NULL) AND (resolved_by IS NULL) = (resolution IS NULL)
    AND (resolved_by IS NULL) = (note IS NULL))""",
    "CREATE INDEX ix_reconciliation_cases_listed ON reconciliation_cases (opened_at, id)",
    "CREATE INDEX ix_reconciliation_cases_line ON reconciliation_cases (line_id) WHERE line_id IS NOT NULL",
)
CASES_BACK = (
    "DROP INDEX ix_reconciliation_cases_line",
    "DROP INDEX ix_reconciliation_cases_listed",
    """
ALTER TABLE reconciliation_cases
  DROP CONSTRAINT ck_reconciliation_cases_resolved, DROP CONSTRAINT reconciliation_cases_status_check,
  ALTER COLUMN amount TYPE numeric(10,2),
  DROP COLUMN day, DROP COLUMN line_id, DROP COLUMN journal_id, DROP COLUMN resolution, DROP COLUMN note,
  DROP COLUMN resolution_journal, DROP COLUMN resolved_by, DROP COLUMN resolved_at""",
    "UPDATE reconciliation_cases SET status = 'closed' WHERE status = 'resolved'",
    """
ALTER TABLE reconciliation_cases
  ADD CONSTRAINT reconciliation_cases_status_check CHECK (status IN ('open', 'closed'))""",
)

# The shared lock makes a snapshot wait for whoever is still posting into its day, and nobody else: each day
# has its own lock, and it is taken exclusively once in its life. On journals, since an entry's day is its journal's.
GUARD_DAYS = """
CREATE FUNCTION ledger_guard_posted_journals() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  posted_day date;
BEGIN
  FOR posted_day IN SELECT DISTINCT transaction_date FROM posted_journals ORDER BY 1 LOOP
    PERFORM pg_advisory_xact_lock_shared(hashtext('ledger day'), posted_day - DATE '2000-01-01');
    IF EXISTS (SELECT 1 FROM day_snapshots WHERE day >= posted_day) THEN
      RAISE EXCEPTION 'the day % is shut', posted_day USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  IF EXISTS (
    SELECT 1 FROM posted_journals p
    WHERE p.event_type = 'journal.manual' AND NOT EXISTS (
      SELECT 1 FROM manual_journals m WHERE m.transaction_id = p.transaction_id AND m.status = 'approved')) THEN
    RAISE EXCEPTION 'a manual journal needs an approved proposal' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$"""

GUARD_DECISIONS = """
CREATE FUNCTION ledger_keep_decided() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  decision text[] := TG_ARGV[1:];
BEGIN
  IF OLD.status <> TG_ARGV[0] OR (to_jsonb(OLD) - decision) <> (to_jsonb(NEW) - decision) THEN
    RAISE EXCEPTION '%: only an open one is decided, and nothing else of it changes', TG_TABLE_NAME
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$"""

TRIGGERS = (
    """
CREATE TRIGGER journals_guarded AFTER INSERT ON journals REFERENCING NEW TABLE AS posted_journals
FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_posted_journals()""",
    """
CREATE TRIGGER manual_journals_decided BEFORE UPDATE ON manual_journals FOR EACH ROW
EXECUTE FUNCTION ledger_keep_decided('proposed', 'status', 'decided_by', 'decided_at', 'decision_reason')""",
    """
CREATE TRIGGER reconciliation_cases_decided BEFORE UPDATE ON reconciliation_cases FOR EACH ROW
EXECUTE FUNCTION ledger_keep_decided('open', 'status', 'resolution', 'note', 'resolution_journal',
                                     'resolved_by', 'resolved_at')""",
)

APPEND_ONLY = ("day_snapshots", "day_balances", "closed_days", "statement_lines", "statement_matches")
NEVER_DELETED = ("manual_journals", "bank_statements")


def upgrade() -> None:
    create_idempotency_table(op)
    for statement in (*TABLES, *CASES_FORWARD, GUARD_DAYS, GUARD_DECISIONS, *TRIGGERS):
        op.execute(statement)
    for table in APPEND_ONLY:
        _refuse(table, "UPDATE OR DELETE")
    for table in NEVER_DELETED:
        _refuse(table, "DELETE")
    _revoke()


def _refuse(table: str, moves: str) -> None:
    op.execute(f"""
CREATE TRIGGER {table}_unchanged BEFORE {moves} ON {table}
FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change()""")
    op.execute(f"""
CREATE TRIGGER {table}_kept BEFORE TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()""")


def _revoke() -> None:
    """One role that is both owner and application cannot do without its own privileges."""
    if app_role() == f'"{op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()}"':
        return
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {table} FROM {app_role()}")
    for table in NEVER_DELETED:
        op.execute(f"REVOKE DELETE, TRUNCATE, REFERENCES, TRIGGER ON {table} FROM {app_role()}")


def downgrade() -> None:
    op.execute("DROP TRIGGER journals_guarded ON journals")
    op.execute("DROP TRIGGER reconciliation_cases_decided ON reconciliation_cases")
    op.execute("DROP INDEX ix_journals_occurred")
    for table in (
        "statement_matches",
        "statement_lines",
        "bank_statements",
        "manual_journals",
        "closed_days",
        "day_balances",
        "day_snapshots",
    ):
        op.execute(f"DROP TABLE {table}")
    for statement in CASES_BACK:
        op.execute(statement)
    op.execute("DROP FUNCTION ledger_guard_posted_journals()")
    op.execute("DROP FUNCTION ledger_keep_decided()")
    drop_idempotency_table(op)
