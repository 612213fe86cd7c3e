"""What the database itself enforces, whoever writes.

Every journal sums to zero and is complete at commit, nobody appends to a journal of an earlier transaction,
nothing posted is changed or deleted, and the service's role may only read and insert.
"""

from alembic import op

from storage.migrations import app_role

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FUNCTIONS = (
    """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$""",
    """
CREATE FUNCTION ledger_stamp_journal() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  NEW.xid := pg_current_xact_id();
  RETURN NEW;
END $$""",
    """
CREATE FUNCTION ledger_check_journal(checked uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  journal    journals;
  lines      integer;
  difference numeric;
BEGIN
  SELECT * INTO STRICT journal FROM journals WHERE id = checked;
  IF journal.xid <> pg_current_xact_id() THEN
    RAISE EXCEPTION 'journal % was closed by an earlier transaction', checked
      USING ERRCODE = 'check_violation';
  END IF;
  SELECT count(*), sum(CASE entry_type WHEN 'DEBIT' THEN amount ELSE -amount END) INTO lines, difference
  FROM ledger_entries
  WHERE transaction_id = journal.transaction_id AND transaction_date = journal.transaction_date
    AND journal_id = checked;
  IF lines <> journal.line_count THEN
    RAISE EXCEPTION 'journal % announces % lines and has %', checked, journal.line_count, lines
      USING ERRCODE = 'check_violation';
  END IF;
  IF difference <> 0 THEN
    RAISE EXCEPTION 'journal % is off by %', checked, difference USING ERRCODE = 'check_violation';
  END IF;
END $$""",
    """
CREATE FUNCTION ledger_close_journal() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM ledger_check_journal(NEW.id);
  RETURN NULL;
END $$""",
    """
CREATE FUNCTION ledger_check_entry() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM 1
  FROM journals j, ledger_accounts a
  WHERE j.id = NEW.journal_id AND j.transaction_id = NEW.transaction_id
    AND j.transaction_date = NEW.transaction_date
    AND a.id = NEW.account_id AND a.classification = 'DETAIL' AND a.active
    AND (a.owner_kind IS NULL OR (a.owner_kind = 'driver' AND NEW.driver_id IS NOT NULL)
         OR (a.owner_kind = 'passenger' AND NEW.passenger_id IS NOT NULL));
  IF NOT FOUND THEN
    RAISE EXCEPTION 'entry % fits neither its journal nor a detail account', NEW.id
      USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.reversed THEN
    PERFORM 1 FROM ledger_entries o WHERE o.id = NEW.reversal_entry_id AND o.entry_type <> NEW.entry_type;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'entry % reverses no entry of the other side', NEW.id USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  PERFORM ledger_check_journal(NEW.journal_id);
  RETURN NULL;
END $$""",
)

TRIGGERS = (
    """
CREATE TRIGGER journals_stamp BEFORE INSERT ON journals
FOR EACH ROW EXECUTE FUNCTION ledger_stamp_journal()""",
    """
CREATE CONSTRAINT TRIGGER journals_closed AFTER INSERT ON journals DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION ledger_close_journal()""",
    """
CREATE CONSTRAINT TRIGGER ledger_entries_checked AFTER INSERT ON ledger_entries DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION ledger_check_entry()""",
)

APPEND_ONLY = ("financial_events", "journals", "ledger_entries", "ledger_seals")
READ_ONLY = ("ledger_accounts",)
NEVER_DELETED = ("account_balances", "running_balance_mark", "reconciliation_cases")

PARTITIONS = """
CREATE FUNCTION ledger_make_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  month date := date_trunc('month', first_day)::date;
  name  text;
  made  integer := 0;
BEGIN
  IF last_day - first_day > 1100 THEN
    RAISE EXCEPTION 'more than 1100 days of ledger partitions asked for';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('ledger partitions'));
  WHILE month <= last_day LOOP
    name := 'ledger_entries_' || to_char(month, 'YYYYMM');
    IF to_regclass('public.' || name) IS NULL THEN
      BEGIN
        EXECUTE format('CREATE TABLE public.%I PARTITION OF public.ledger_entries '
                       'FOR VALUES FROM (%L) TO (%L)', name, month, (month + interval '1 month')::date);
        PERFORM ledger_guard_partition(name);
        made := made + 1;
      EXCEPTION WHEN check_violation THEN
        NULL;  -- entries of that month are in the default partition already: it goes on serving the month
      END;
    END IF;
    month := (month + interval '1 month')::date;
  END LOOP;
  RETURN made;
END $$"""

PARTITION_NAMES = (
    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ledger_entries'::regclass"
)

# A TRUNCATE trigger of the parent does not fire for TRUNCATE of a partition, so each partition has its own.
GUARD_PARTITION = """
CREATE FUNCTION ledger_guard_partition(name text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON public.%I FOR EACH STATEMENT '
                 'EXECUTE FUNCTION ledger_refuse_change()', name || '_kept', name);
  {revoke}
END $$"""


def upgrade() -> None:
    for statement in (*FUNCTIONS, *TRIGGERS):
        op.execute(statement)
    _guard_append_only()
    _make_partitions()
    _revoke()


def _guard_append_only() -> None:
    for table in APPEND_ONLY:
        op.execute(f"""
CREATE TRIGGER {table}_unchanged BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change()""")
    for table in (*APPEND_ONLY, *NEVER_DELETED):
        op.execute(f"""
CREATE TRIGGER {table}_kept BEFORE TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()""")


def _make_partitions() -> None:
    revoke = f"EXECUTE format('REVOKE ALL ON public.%I FROM {app_role()}', name);"
    op.execute(GUARD_PARTITION.format(revoke=revoke if _has_app_role() else ""))
    op.execute(PARTITIONS)
    op.execute("REVOKE EXECUTE ON FUNCTION ledger_guard_partition(text) FROM PUBLIC")
    # The default partition is a safety net: a missing month must not stop the books at midnight.
    op.execute("CREATE TABLE ledger_entries_default PARTITION OF ledger_entries DEFAULT")
    op.execute("SELECT ledger_guard_partition('ledger_entries_default')")
    op.execute("""
SELECT ledger_make_partitions((now() - interval '1 month')::date, (now() + interval '6 months')::date)""")


def _revoke() -> None:
    if not _has_app_role():
        return
    role = app_role()
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {table} FROM {role}")
    for table in READ_ONLY:
        op.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {table} FROM {role}")
    for table in NEVER_DELETED:
        op.execute(f"REVOKE DELETE, TRUNCATE, REFERENCES, TRIGGER ON {table} FROM {role}")


def _has_app_role() -> bool:
    """False when one role is both owner and application: an owner cannot do without its own privileges."""
    current = op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()
    return app_role() != f'"{current}"'


def downgrade() -> None:
    op.execute("DROP FUNCTION ledger_make_partitions(date, date)")
    op.execute("DROP FUNCTION ledger_guard_partition(text)")
    for function in ("check_entry", "close_journal", "stamp_journal", "refuse_change"):
        op.execute(f"DROP FUNCTION ledger_{function}() CASCADE")
    op.execute("DROP FUNCTION ledger_check_journal(uuid)")
    for partition in op.get_bind().exec_driver_sql(PARTITION_NAMES).scalars().all():
        op.execute(f"DROP TABLE {partition}")
