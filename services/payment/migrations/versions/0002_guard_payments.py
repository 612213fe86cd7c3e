"""What the database itself enforces about payments, whoever writes.

Parties, amounts and names never change, what has ended stays ended, refunds never exceed their payment, and a
received Pix is neither edited nor forgotten: forgetting one would count it again.
"""

from alembic import op

from storage.migrations import app_role

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FUNCTIONS = (
    """
CREATE FUNCTION payment_keep_intent() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.ride_id, NEW.passenger_id, NEW.driver_id, NEW.amount, NEW.commission)
     IS DISTINCT FROM (OLD.id, OLD.ride_id, OLD.passenger_id, OLD.driver_id, OLD.amount, OLD.commission) THEN
    RAISE EXCEPTION 'whose a payment is and how much never change' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.refunded < OLD.refunded OR (NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN
     (('PENDING', 'CONFIRMED'), ('PENDING', 'EXPIRED'), ('CONFIRMED', 'REFUNDED'))) THEN
    RAISE EXCEPTION 'a payment does not go from % to %', OLD.status, NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$""",
    """
CREATE FUNCTION payment_keep_charge() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.payment_intent_id, NEW.txid, NEW.amount)
     IS DISTINCT FROM (OLD.id, OLD.payment_intent_id, OLD.txid, OLD.amount) THEN
    RAISE EXCEPTION 'the txid and amount of a charge never change' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status <> 'ACTIVE' AND (NEW.status, NEW.e2e_id) IS DISTINCT FROM (OLD.status, OLD.e2e_id) THEN
    RAISE EXCEPTION 'a charge that is % stays so', OLD.status USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$""",
    """
CREATE FUNCTION payment_keep_refund() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.payment_intent_id, NEW.e2e_id, NEW.amount)
     IS DISTINCT FROM (OLD.id, OLD.payment_intent_id, OLD.e2e_id, OLD.amount) THEN
    RAISE EXCEPTION 'what a refund gives back never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status IN ('REFUNDED', 'FAILED') AND NEW.status <> OLD.status THEN
    RAISE EXCEPTION 'a refund that is % stays so', OLD.status USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$""",
    """
CREATE FUNCTION payment_cap_refunds() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  paid numeric;
BEGIN
  -- Locked, so that two refunds of one payment are added up one after the other.
  SELECT amount INTO paid FROM payment_intents
  WHERE id = NEW.payment_intent_id AND status IN ('CONFIRMED', 'REFUNDED') FOR UPDATE;
  IF paid IS NULL OR NEW.amount + (SELECT coalesce(sum(amount), 0) FROM refunds
     WHERE payment_intent_id = NEW.payment_intent_id AND status <> 'FAILED') > paid THEN
    RAISE EXCEPTION 'more would be given back than was paid' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$""",
    """
CREATE FUNCTION payment_refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$""",
)

TRIGGERS = (
    """
CREATE TRIGGER payment_intents_kept BEFORE UPDATE ON payment_intents
FOR EACH ROW EXECUTE FUNCTION payment_keep_intent()""",
    """
CREATE TRIGGER pix_charges_kept BEFORE UPDATE ON pix_charges
FOR EACH ROW EXECUTE FUNCTION payment_keep_charge()""",
    """
CREATE TRIGGER refunds_kept BEFORE UPDATE ON refunds
FOR EACH ROW EXECUTE FUNCTION payment_keep_refund()""",
    """
CREATE TRIGGER refunds_capped BEFORE INSERT ON refunds
FOR EACH ROW EXECUTE FUNCTION payment_cap_refunds()""",
    """
CREATE TRIGGER received_pix_unchanged BEFORE UPDATE OR DELETE ON received_pix
FOR EACH ROW EXECUTE FUNCTION payment_refuse_change()""",
)

NEVER_DELETED = ("payment_intents", "pix_charges", "received_pix", "refunds", "webhook_events")


def upgrade() -> None:
    for statement in (*FUNCTIONS, *TRIGGERS):
        op.execute(statement)
    if _has_app_role():
        for table in NEVER_DELETED:
            op.execute(f"REVOKE DELETE, TRUNCATE ON {table} FROM {app_role()}")


def _has_app_role() -> bool:
    """False when one role is both owner and application: an owner cannot do without its own privileges."""
    current = op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()
    return app_role() != f'"{current}"'


def downgrade() -> None:
    for function in ("keep_intent", "keep_charge", "keep_refund", "cap_refunds", "refuse_change"):
        op.execute(f"DROP FUNCTION payment_{function}() CASCADE")
    if _has_app_role():
        for table in NEVER_DELETED:
            op.execute(f"GRANT DELETE ON {table} TO {app_role()}")
