"""Guards that check a whole statement at once, and a hash chain that grows with each posting transaction.

A journal and its entries are inserted by one statement (ADR 0021). A batch is what one transaction posted;
its seal is made in that transaction (ADR 0022), so a seal's number is also the order of commit, and balances
are folded by it. The old chain, made by a job, is replaced: what is posted already is sealed anew.
"""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from alembic import op

from ledger.adapters.resealing import seal_everything
from storage.migrations import app_role

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ledger_entries'::regclass"

# An entry is known by its journal and line: together with "lines 1 to n by one statement" the key itself
# refuses lines that come later. The blueprint's index of transaction_id is a BRIN: lookups go by journal_id.
RESHAPE = (
    "DROP TRIGGER journals_stamp ON journals",
    "DROP TRIGGER journals_closed ON journals",
    "DROP TRIGGER ledger_entries_checked ON ledger_entries",
    "DROP FUNCTION ledger_stamp_journal()",
    "DROP FUNCTION ledger_close_journal()",
    "DROP FUNCTION ledger_check_entry()",
    "DROP FUNCTION ledger_check_journal(uuid)",
    "DROP TRIGGER journals_unchanged ON journals",
    "DROP TRIGGER ledger_entries_unchanged ON ledger_entries",
    "CREATE SEQUENCE ledger_batch_seq AS bigint",
    "ALTER TABLE journals DROP COLUMN xid, ADD COLUMN batch bigint",
    "ALTER TABLE journals DROP CONSTRAINT journals_event_id_fkey, DROP CONSTRAINT journals_reverses_fkey",
    "ALTER TABLE ledger_entries ADD COLUMN line smallint, ALTER COLUMN id DROP DEFAULT",
    """
UPDATE ledger_entries e SET line = n.line
FROM (SELECT id, transaction_date, row_number() OVER (PARTITION BY journal_id ORDER BY id) AS line
      FROM ledger_entries) n
WHERE n.id = e.id AND n.transaction_date = e.transaction_date""",
    """
ALTER TABLE ledger_entries
  DROP CONSTRAINT ledger_entries_pkey,
  DROP CONSTRAINT ledger_entries_account_id_fkey,
  DROP CONSTRAINT ledger_entries_journal_id_fkey,
  DROP CONSTRAINT ledger_entries_amount_check,
  ADD CONSTRAINT ck_ledger_entries_amount CHECK (amount > 0 AND amount <> 'NaN'),
  ADD CONSTRAINT ck_ledger_entries_line CHECK (line > 0),
  ADD PRIMARY KEY (journal_id, line, transaction_date)""",
    "ALTER TABLE financial_events ADD CONSTRAINT ck_financial_events_amount CHECK (amount <> 'NaN')",
    "ALTER TABLE account_balances ADD CONSTRAINT ck_account_balances_number CHECK (balance <> 'NaN')",
    "DROP INDEX idx_ledger_transaction",
    "CREATE INDEX idx_ledger_transaction ON ledger_entries USING brin (transaction_id)",
    "CREATE INDEX ix_ledger_entries_id ON ledger_entries USING brin (id) WITH (autosummarize = on)",
)

CHAIN = (
    "DROP TABLE ledger_seals",
    "DROP TABLE running_balance_mark",
    """
CREATE TABLE ledger_chain (
  only_row      boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
  seq           bigint      NOT NULL DEFAULT 0,
  previous_hash bytea       NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
  hash          bytea       NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
  journals      bigint      NOT NULL DEFAULT 0,
  entries       bigint      NOT NULL DEFAULT 0,
  anchored_seq  bigint      NOT NULL DEFAULT 0
)""",
    "INSERT INTO ledger_chain DEFAULT VALUES",
    """
CREATE TABLE ledger_seals (
  seq           bigint      PRIMARY KEY CHECK (seq > 0),
  batch         bigint      NOT NULL UNIQUE,
  journal_count integer     NOT NULL CHECK (journal_count > 0),
  entry_count   integer     NOT NULL CHECK (entry_count >= 2 * journal_count),
  journals      bigint      NOT NULL,
  entries       bigint      NOT NULL,
  content       bytea       NOT NULL CHECK (octet_length(content) = 32),
  previous_hash bytea       NOT NULL UNIQUE CHECK (octet_length(previous_hash) = 32),
  hash          bytea       NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
  sealed_at     timestamptz NOT NULL DEFAULT clock_timestamp()
)""",
    """
CREATE TABLE ledger_movements (
  seq        bigint        NOT NULL,
  account_id uuid          NOT NULL,
  amount     numeric(19,6) NOT NULL CHECK (amount <> 'NaN'),
  PRIMARY KEY (seq, account_id)
)""",
    """
CREATE TABLE running_balance_mark (
  only_row  boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
  folded_to bigint      NOT NULL,
  folded_at timestamptz NOT NULL
)""",
    "INSERT INTO running_balance_mark (folded_to, folded_at) VALUES (0, 'epoch')",
    "DELETE FROM account_balances WHERE owner_id = '00000000-0000-0000-0000-000000000000'",
)

CHART = (
    "ALTER TABLE ledger_accounts ADD COLUMN normal_side text, ADD COLUMN posting_policy text",
    """
UPDATE ledger_accounts SET
  normal_side = CASE WHEN account_type IN ('ASSET', 'EXPENSE') THEN 'DEBIT' ELSE 'CREDIT' END,
  posting_policy = CASE WHEN owner_kind IS NULL THEN 'RECORDING' ELSE 'AUTHORISING' END""",
    """
ALTER TABLE ledger_accounts
  ALTER COLUMN normal_side SET NOT NULL, ALTER COLUMN posting_policy SET NOT NULL,
  ADD CONSTRAINT ck_ledger_accounts_side CHECK (normal_side IN ('DEBIT', 'CREDIT')),
  ADD CONSTRAINT ck_ledger_accounts_policy CHECK (posting_policy IN ('RECORDING', 'AUTHORISING'))""",
)

# Plans are made once a session, maybe while the tables are empty: never by reading a whole table.
_BY_INDEX = (
    "SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off"
)

FUNCTIONS = (
    f"""
CREATE FUNCTION ledger_check_journals() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp {_BY_INDEX} AS $$
DECLARE wrong record;
BEGIN
  SELECT p.transaction_id, e.line, f.id AS event, o.id AS original INTO wrong
  FROM posted p
  LEFT JOIN ledger_entries e
    ON e.journal_id = p.id AND e.line = 1 AND e.transaction_date = p.transaction_date
  LEFT JOIN financial_events f ON f.id = p.event_id
  LEFT JOIN journals o ON o.id = p.reverses
  WHERE e.line IS NULL OR f.id IS NULL OR (p.reverses IS NOT NULL AND o.id IS NULL)
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal % lacks its entries, its event or its original', wrong.transaction_id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$""",
    f"""
CREATE FUNCTION ledger_check_entries() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp {_BY_INDEX} AS $$
DECLARE wrong record;
BEGIN
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
  END IF;
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
  END IF;
  RETURN NULL;
END $$""",
    # As its owner, for the service's role may not look into a partition.
    """
CREATE FUNCTION ledger_partition_room(today date, OUT first_missing date, OUT in_default bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  SELECT count(*) INTO in_default FROM ledger_entries_default;
  first_missing := date_trunc('month', today);
  WHILE to_regclass('public.ledger_entries_' || to_char(first_missing, 'YYYYMM')) IS NOT NULL LOOP
    first_missing := first_missing + interval '1 month';
  END LOOP;
END $$""",
    """
CREATE FUNCTION ledger_refuse_direct() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '% takes entries through ledger_entries only', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$""",
)

TRIGGERS = (
    """
CREATE TRIGGER journals_complete AFTER INSERT ON journals REFERENCING NEW TABLE AS posted
FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_journals()""",
    """
CREATE TRIGGER ledger_entries_complete AFTER INSERT ON ledger_entries REFERENCING NEW TABLE AS posted
FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_entries()""",
)

APPEND_ONLY = ("ledger_seals", "ledger_movements")
NEVER_DELETED = ("ledger_chain", "running_balance_mark")

# Triggers of the parent do not fire for TRUNCATE of a partition, nor statement triggers for INSERT into it.
GUARD_PARTITION = """
CREATE OR REPLACE FUNCTION ledger_guard_partition(name text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON public.%I FOR EACH STATEMENT '
                 'EXECUTE FUNCTION ledger_refuse_change()', name || '_kept', name);
  {direct}
  {revoke}
END $$"""
DIRECT = """EXECUTE format('CREATE TRIGGER %I BEFORE INSERT ON public.%I FOR EACH STATEMENT '
                 'EXECUTE FUNCTION ledger_refuse_direct()', name || '_direct', name);"""
VIEWS = (
    """
CREATE OR REPLACE VIEW journal_totals AS
SELECT j.id AS journal_id, j.transaction_id, j.event_type, j.entity_type, j.entity_id, j.driver_id,
       j.transaction_date, j.line_count, count(e.id)::integer AS lines,
       coalesce(sum(e.amount) FILTER (WHERE e.entry_type = 'DEBIT'), 0)  AS debits,
       coalesce(sum(e.amount) FILTER (WHERE e.entry_type = 'CREDIT'), 0) AS credits
FROM journals j LEFT JOIN ledger_entries e ON e.journal_id = j.id
GROUP BY j.id""",
)


def upgrade() -> None:
    for statement in (*RESHAPE, *CHAIN, *CHART, *FUNCTIONS, *VIEWS):
        op.execute(statement)
    seal_everything(op.get_bind())
    for statement in (
        "ALTER TABLE ledger_entries ALTER COLUMN line SET NOT NULL",
        "ALTER TABLE journals ALTER COLUMN batch SET NOT NULL",
        "CREATE INDEX ix_journals_batch ON journals USING brin (batch) WITH (autosummarize = on)",
        *TRIGGERS,
    ):
        op.execute(statement)
    for table in ("journals", "ledger_entries", *APPEND_ONLY):
        _refuse("UPDATE OR DELETE", table, name="unchanged", each="ROW")
    for table in (*APPEND_ONLY, *NEVER_DELETED):
        _refuse("TRUNCATE", table, name="kept", each="STATEMENT")
    _guard_partitions()
    _revoke()


def _refuse(what: str, table: str, *, name: str, each: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_{name} BEFORE {what} ON {table} FOR EACH {each} "
        "EXECUTE FUNCTION ledger_refuse_change()"
    )


def _guard_partitions() -> None:
    op.execute(GUARD_PARTITION.format(direct=DIRECT, revoke=_revoke_partition()))
    for name in op.get_bind().exec_driver_sql(PARTITIONS).scalars().all():
        op.execute(
            f"CREATE TRIGGER {name}_direct BEFORE INSERT ON {name} FOR EACH STATEMENT "
            "EXECUTE FUNCTION ledger_refuse_direct()"
        )


def _revoke_partition() -> str:
    return f"EXECUTE format('REVOKE ALL ON public.%I FROM {app_role()}', name);" if _has_app_role() else ""


def _revoke() -> None:
    if not _has_app_role():
        return
    role = app_role()
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {table} FROM {role}")
    for table in NEVER_DELETED:
        op.execute(f"REVOKE INSERT, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {table} FROM {role}")


def _has_app_role() -> bool:
    """False when one role is both owner and application: an owner cannot do without its own privileges."""
    current = op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()
    return app_role() != f'"{current}"'


UNDO = (
    "DROP TRIGGER journals_complete ON journals",
    "DROP TRIGGER ledger_entries_complete ON ledger_entries",
    "DROP FUNCTION ledger_check_journals()",
    "DROP FUNCTION ledger_check_entries()",
    "DROP FUNCTION ledger_partition_room(date)",
    "DROP FUNCTION ledger_refuse_direct() CASCADE",
    "DROP TABLE ledger_movements, ledger_seals, ledger_chain, running_balance_mark",
    "ALTER TABLE ledger_accounts DROP COLUMN normal_side, DROP COLUMN posting_policy",
    "ALTER TABLE financial_events DROP CONSTRAINT ck_financial_events_amount",
    "ALTER TABLE account_balances DROP CONSTRAINT ck_account_balances_number",
    "DELETE FROM account_balances WHERE owner_id = '00000000-0000-0000-0000-000000000000'",
    "ALTER TABLE journals DROP COLUMN batch, ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id()",
    "ALTER TABLE journals ALTER COLUMN xid DROP DEFAULT",
    "CREATE INDEX ix_journals_xid ON journals (xid)",
    """
ALTER TABLE journals
  ADD CONSTRAINT journals_event_id_fkey FOREIGN KEY (event_id) REFERENCES financial_events (id),
  ADD CONSTRAINT journals_reverses_fkey FOREIGN KEY (reverses) REFERENCES journals (id)""",
    "DROP INDEX ix_ledger_entries_id",
    """
ALTER TABLE ledger_entries
  DROP CONSTRAINT ledger_entries_pkey, DROP CONSTRAINT ck_ledger_entries_amount,
  DROP COLUMN line,
  ADD CONSTRAINT ledger_entries_amount_check CHECK (amount > 0),
  ADD CONSTRAINT ledger_entries_account_id_fkey FOREIGN KEY (account_id) REFERENCES ledger_accounts (id),
  ADD CONSTRAINT ledger_entries_journal_id_fkey FOREIGN KEY (journal_id) REFERENCES journals (id),
  ADD PRIMARY KEY (id, transaction_date),
  ALTER COLUMN id SET DEFAULT nextval('ledger_entries_id_seq')""",
    "SELECT setval('ledger_entries_id_seq', coalesce((SELECT max(id) FROM ledger_entries), 0) + 1)",
    "DROP INDEX idx_ledger_transaction",
    "CREATE INDEX idx_ledger_transaction ON ledger_entries (transaction_id)",
    "DROP SEQUENCE ledger_batch_seq",
)


def downgrade() -> None:
    """The guards and the chain of 0002 come back; its job seals everything anew."""
    before = _migration("0002_guard_the_books")
    for statement in UNDO:
        op.execute(statement)
    for statement in (*before.FUNCTIONS[1:], *before.TRIGGERS):
        op.execute(statement)
    opened = _migration("0001_open_the_books")
    for statement in opened.TABLES:
        if "TABLE ledger_seals" in statement or "running_balance_mark" in statement:
            op.execute(statement)
    for table in ("ledger_seals",):
        _refuse("UPDATE OR DELETE", table, name="unchanged", each="ROW")
    for table in ("ledger_seals", "running_balance_mark"):
        _refuse("TRUNCATE", table, name="kept", each="STATEMENT")
    op.execute(GUARD_PARTITION.format(direct="", revoke=_revoke_partition()))


def _migration(name: str) -> ModuleType:
    """An earlier migration of this folder: they are files that nothing else imports."""
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
