"""Keep each webhook's body sealed for a while, its hash and redacted content for good, and what it claimed."""

from alembic import op

from storage.migrations import app_role

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    """CREATE TABLE webhook_deliveries (
        id uuid PRIMARY KEY,
        sealed_body bytea,
        body_sha256 text NOT NULL CHECK (body_sha256 ~ '^[0-9a-f]{64}$'),
        redacted jsonb NOT NULL,
        received_at timestamptz NOT NULL,
        shred_at timestamptz NOT NULL,
        shredded_at timestamptz,
        CHECK ((sealed_body IS NULL) = (shredded_at IS NOT NULL)))""",
    "CREATE INDEX idx_deliveries_to_shred ON webhook_deliveries (shred_at) WHERE shredded_at IS NULL",
    "CREATE INDEX idx_deliveries_received ON webhook_deliveries (received_at)",
    "ALTER TABLE webhook_events ADD COLUMN amount numeric(15,2)",
    "ALTER TABLE webhook_events ADD COLUMN delivery_id uuid REFERENCES webhook_deliveries",
    """CREATE TABLE rejected_claims (
        e2e_id text NOT NULL,
        kind text NOT NULL,
        reference text NOT NULL,
        claimed numeric(15,2),
        confirmed numeric(15,2),
        found_at timestamptz NOT NULL,
        PRIMARY KEY (e2e_id, kind, reference))""",
)

KEEP_DELIVERY = """
CREATE FUNCTION payment_keep_delivery() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.body_sha256, NEW.redacted, NEW.received_at)
     IS DISTINCT FROM (OLD.id, OLD.body_sha256, OLD.redacted, OLD.received_at) THEN
    RAISE EXCEPTION 'what was received never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  -- What is shredded stays so, and what is sealed is not replaced.
  IF NEW.sealed_body IS NOT NULL AND NEW.sealed_body IS DISTINCT FROM OLD.sealed_body THEN
    RAISE EXCEPTION 'a sealed body can only be shredded' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$"""

TRIGGERS = (
    """
CREATE TRIGGER webhook_deliveries_kept BEFORE UPDATE ON webhook_deliveries
FOR EACH ROW EXECUTE FUNCTION payment_keep_delivery()""",
    """
CREATE TRIGGER rejected_claims_unchanged BEFORE UPDATE OR DELETE ON rejected_claims
FOR EACH ROW EXECUTE FUNCTION payment_refuse_change()""",
)


def upgrade() -> None:
    for statement in (*TABLES, KEEP_DELIVERY, *TRIGGERS):
        op.execute(statement)
    current = op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()
    if app_role() != f'"{current}"':
        for table in ("webhook_deliveries", "rejected_claims"):
            op.execute(f"REVOKE DELETE, TRUNCATE ON {table} FROM {app_role()}")


def downgrade() -> None:
    op.execute("DROP TABLE rejected_claims")
    op.execute("ALTER TABLE webhook_events DROP COLUMN delivery_id, DROP COLUMN amount")
    op.execute("DROP TABLE webhook_deliveries")
    op.execute("DROP FUNCTION payment_keep_delivery()")
