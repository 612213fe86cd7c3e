"""Drivers' standings, contradictions, attempts that end once, and what day limits and doubts are read by."""

from alembic import op

from storage.migrations import app_role

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE driver_standings (
  driver_id          uuid        PRIMARY KEY,
  status             text        NOT NULL CHECK (status IN ('active', 'suspended', 'banned')),
  pix_key_changed_at timestamptz,
  version            bigint      NOT NULL,
  heard_at           timestamptz NOT NULL
)""",
    """
CREATE TABLE payout_contradictions (
  payout_id uuid        NOT NULL REFERENCES payouts (id),
  reported  text        NOT NULL,
  known     text        NOT NULL,
  detail    text        NOT NULL,
  found_at  timestamptz NOT NULL,
  PRIMARY KEY (payout_id, reported)
)""",
    # The platform's day is counted from this index alone.
    """
CREATE INDEX ix_payouts_day ON payouts (created_at) INCLUDE (amount) WHERE status <> 'FAILED'""",
    "CREATE INDEX ix_payouts_in_doubt ON payouts (asked_at) WHERE step IN ('SENDING', 'UNKNOWN')",
    """
CREATE FUNCTION payout_attempt_ends_once() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF OLD.outcome IS NOT NULL
     OR (NEW.id, NEW.payout_id, NEW.id_envio, NEW.started_at)
        IS DISTINCT FROM (OLD.id, OLD.payout_id, OLD.id_envio, OLD.started_at) THEN
    RAISE EXCEPTION 'an attempt is what it was' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$""",
    """
CREATE TRIGGER payout_attempts_end_once BEFORE UPDATE ON payout_attempts
FOR EACH ROW EXECUTE FUNCTION payout_attempt_ends_once()""",
)

UNDO = (
    "DROP TRIGGER payout_attempts_end_once ON payout_attempts",
    "DROP FUNCTION payout_attempt_ends_once()",
    "DROP INDEX ix_payouts_in_doubt",
    "DROP INDEX ix_payouts_day",
    "DROP TABLE payout_contradictions",
    "DROP TABLE driver_standings",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    if app_role() != f'"{op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()}"':
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON payout_contradictions FROM {app_role()}")
        # What came back stays as it was noted.
        op.execute(f"REVOKE UPDATE ON payout_returns FROM {app_role()}")


def downgrade() -> None:
    if app_role() != f'"{op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()}"':
        op.execute(f"GRANT UPDATE ON payout_returns TO {app_role()}")
    for statement in UNDO:
        op.execute(statement)
