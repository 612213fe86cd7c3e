"""What has ended stays ended, whoever writes: a failed payout's money was given back, and a sent one's is gone."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CHECKS = (
    """
ALTER TABLE payouts ADD CONSTRAINT ck_payouts_step CHECK (status = CASE
  WHEN step IN ('REQUESTED', 'READY', 'HELD') THEN 'PENDING'
  WHEN step IN ('SENDING', 'SENT', 'UNKNOWN') THEN 'PROCESSING'
  WHEN step IN ('COMPLETED', 'RETURNED', 'FAILED') THEN step
  ELSE 'none' END)""",
    "ALTER TABLE payouts ADD CONSTRAINT ck_payouts_returned CHECK ((status = 'RETURNED') = (returned > 0))",
)

GUARD = """
CREATE FUNCTION payout_keep_course() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
      ('PENDING', 'PROCESSING'), ('PENDING', 'FAILED'), ('PROCESSING', 'COMPLETED'),
      ('PROCESSING', 'RETURNED'), ('PROCESSING', 'FAILED'), ('COMPLETED', 'RETURNED')) THEN
    RAISE EXCEPTION 'a payout does not go from % to %', OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.returned < OLD.returned OR (OLD.held AND NOT NEW.held) THEN
    RAISE EXCEPTION 'what was held or came back stays so' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$"""

TRIGGER = """
CREATE TRIGGER payouts_keep_course BEFORE UPDATE ON payouts
FOR EACH ROW EXECUTE FUNCTION payout_keep_course()"""


def upgrade() -> None:
    for statement in (*CHECKS, GUARD, TRIGGER):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP FUNCTION payout_keep_course() CASCADE")
    op.execute("ALTER TABLE payouts DROP CONSTRAINT ck_payouts_returned, DROP CONSTRAINT ck_payouts_step")
