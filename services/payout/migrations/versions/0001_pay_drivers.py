"""Payouts, attempts to send them, returns, and what is known of drivers' balances."""

from alembic import op

from storage.migrations import (
    app_role,
    create_idempotency_table,
    create_messaging_tables,
    drop_idempotency_table,
    drop_messaging_tables,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE payouts (
  id                      uuid          PRIMARY KEY,
  driver_id               uuid          NOT NULL,
  amount                  numeric(10,2) NOT NULL CHECK (amount > 0),
  status                  text          NOT NULL
    CHECK (status IN ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'RETURNED')),
  payout_method           text          NOT NULL DEFAULT 'pix',
  bank_details            jsonb,
  provider                text          NOT NULL DEFAULT 'efi',
  provider_transaction_id text,
  provider_response       jsonb         NOT NULL DEFAULT '{}',
  created_at              timestamptz   NOT NULL DEFAULT now(),
  updated_at              timestamptz   NOT NULL DEFAULT now(),
  completed_at            timestamptz,
  failed_at               timestamptz,
  failure_reason          text,
  step                    text          NOT NULL,
  version                 integer       NOT NULL,
  held                    boolean       NOT NULL,
  held_version            bigint,
  id_envio                text          UNIQUE CHECK (id_envio ~ '^[a-zA-Z0-9]{1,35}$'),
  fee                     numeric(10,2) NOT NULL DEFAULT 0 CHECK (fee >= 0),
  returned                numeric(10,2) NOT NULL DEFAULT 0 CHECK (returned BETWEEN 0 AND amount),
  asked_at                timestamptz,
  due_at                  timestamptz,
  CHECK ((status = 'FAILED') = (failed_at IS NOT NULL)),
  CHECK ((status IN ('COMPLETED', 'RETURNED')) = (completed_at IS NOT NULL)),
  CHECK (held OR status IN ('PENDING', 'FAILED')),
  CHECK (id_envio IS NOT NULL OR status IN ('PENDING', 'FAILED')),
  CHECK (bank_details IS NOT NULL OR status IN ('PENDING', 'FAILED'))
)""",
    "CREATE INDEX ix_payouts_driver ON payouts (driver_id, created_at DESC, id DESC)",
    "CREATE INDEX ix_payouts_created ON payouts (created_at DESC, id DESC)",
    "CREATE INDEX ix_payouts_due ON payouts (due_at) WHERE due_at IS NOT NULL",
    """
CREATE TABLE payout_attempts (
  id          uuid        PRIMARY KEY,
  payout_id   uuid        NOT NULL REFERENCES payouts (id),
  id_envio    text        NOT NULL,
  started_at  timestamptz NOT NULL,
  finished_at timestamptz,
  outcome     text        CHECK (outcome IN ('answered', 'refused', 'unclear', 'not_made')),
  code        text,
  CHECK ((finished_at IS NULL) = (outcome IS NULL))
)""",
    "CREATE INDEX ix_payout_attempts_payout ON payout_attempts (payout_id, started_at)",
    """
CREATE TABLE payout_returns (
  return_id text          PRIMARY KEY,
  payout_id uuid          NOT NULL REFERENCES payouts (id),
  amount    numeric(10,2) NOT NULL CHECK (amount > 0),
  noted_at  timestamptz   NOT NULL
)""",
    "CREATE INDEX ix_payout_returns_payout ON payout_returns (payout_id)",
    """
CREATE TABLE driver_balances (
  driver_id uuid          PRIMARY KEY,
  available numeric(19,2) NOT NULL,
  on_hold   numeric(19,2) NOT NULL,
  version   bigint        NOT NULL,
  heard_at  timestamptz   NOT NULL
)""",
)

# Another idEnvio or amount for the same payout would be money sent twice: neither ever changes.
GUARDS = (
    """
CREATE FUNCTION payout_keep_identity() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.id <> OLD.id OR NEW.driver_id <> OLD.driver_id OR NEW.amount <> OLD.amount
     OR (OLD.id_envio IS NOT NULL AND NEW.id_envio IS DISTINCT FROM OLD.id_envio) THEN
    RAISE EXCEPTION 'the driver, amount and idEnvio of a payout never change'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$""",
    """
CREATE TRIGGER payouts_keep_identity BEFORE UPDATE ON payouts
FOR EACH ROW EXECUTE FUNCTION payout_keep_identity()""",
)

NEVER_DELETED = ("payouts", "payout_attempts", "payout_returns")


def upgrade() -> None:
    create_messaging_tables(op)
    create_idempotency_table(op)
    for statement in (*TABLES, *GUARDS):
        op.execute(statement)
    if app_role() != f'"{op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()}"':
        for table in NEVER_DELETED:
            op.execute(f"REVOKE DELETE, TRUNCATE ON {table} FROM {app_role()}")


def downgrade() -> None:
    for table in ("driver_balances", "payout_returns", "payout_attempts", "payouts"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION payout_keep_identity()")
    drop_idempotency_table(op)
    drop_messaging_tables(op)
