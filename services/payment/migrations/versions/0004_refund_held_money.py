"""Refunds of held money and from outside: what each Pix holds, who wanted a refund, and one cap a Pix.

A refund names its Pix, its id at Efí and whether it takes from the fare or from what is held. Whoever writes,
the refunds of a Pix never exceed it, nor those of a fare or of held money the fare or the held money.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CHANGES = (
    """ALTER TABLE received_pix ADD COLUMN held numeric(10,2), ADD COLUMN mismatch text,
         ADD COLUMN ride_id uuid, ADD COLUMN passenger_id uuid""",
    # The one edit that this table ever sees: what was judged before its verdict was stored with it.
    "ALTER TABLE received_pix DISABLE TRIGGER received_pix_unchanged",
    """UPDATE received_pix p SET
         held = CASE WHEN c.e2e_id = p.e2e_id THEN p.amount - c.amount ELSE p.amount END,
         mismatch = CASE
           WHEN c.id IS NULL THEN 'unmatched'
           WHEN c.e2e_id = p.e2e_id AND p.amount = c.amount THEN NULL
           WHEN c.e2e_id = p.e2e_id THEN 'surplus'
           WHEN c.status = 'COMPLETED' THEN 'second'
           WHEN p.amount < c.amount THEN 'short'
           ELSE 'late' END,
         ride_id = i.ride_id,
         passenger_id = i.passenger_id
       FROM received_pix q
       LEFT JOIN payment_intents i ON i.id = q.payment_intent_id
       LEFT JOIN pix_charges c ON c.payment_intent_id = i.id
       WHERE q.e2e_id = p.e2e_id""",
    "ALTER TABLE received_pix ENABLE TRIGGER received_pix_unchanged",
    """ALTER TABLE received_pix ALTER COLUMN held SET NOT NULL, ADD CHECK (held BETWEEN 0 AND amount),
         ADD CHECK ((held > 0) = (mismatch IS NOT NULL)),
         ADD CHECK (mismatch IN ('surplus', 'second', 'late', 'short', 'unmatched'))""",
    "CREATE INDEX idx_received_ride ON received_pix (ride_id) WHERE ride_id IS NOT NULL",
    "CREATE INDEX idx_received_paid ON received_pix (paid_at, e2e_id)",
    "CREATE INDEX idx_received_held ON received_pix (paid_at, e2e_id) WHERE mismatch IS NOT NULL",
    """ALTER TABLE refunds ADD COLUMN efi_id text,
         ADD COLUMN target text NOT NULL DEFAULT 'fare' CHECK (target IN ('fare', 'credit')),
         ADD COLUMN origin text NOT NULL DEFAULT 'admin' CHECK (origin IN ('admin', 'rule', 'outside')),
         ADD COLUMN attempts integer NOT NULL DEFAULT 0""",
    "UPDATE refunds SET efi_id = replace(id::text, '-', '')",
    """ALTER TABLE refunds ALTER COLUMN efi_id SET NOT NULL, ALTER COLUMN target DROP DEFAULT,
         ALTER COLUMN origin DROP DEFAULT, ALTER COLUMN payment_intent_id DROP NOT NULL,
         ALTER COLUMN requested_by DROP NOT NULL, DROP CONSTRAINT refunds_return_id_key,
         ADD CHECK (target = 'credit' OR payment_intent_id IS NOT NULL),
         ADD CHECK (origin <> 'admin' OR requested_by IS NOT NULL)""",
    # Whatever is told how often, a devolution is one refund: two when it takes both fare and held money.
    "CREATE UNIQUE INDEX idx_refunds_efi_id ON refunds (e2e_id, efi_id, target)",
    """CREATE UNIQUE INDEX idx_refunds_return_id ON refunds (e2e_id, return_id, target)
         WHERE return_id IS NOT NULL""",
    """CREATE TABLE statement_reports (
        day date PRIMARY KEY,
        report_id text NOT NULL,
        requested_at timestamptz NOT NULL)""",
)

KEEP = """
CREATE OR REPLACE FUNCTION payment_keep_refund() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF ({new}) IS DISTINCT FROM ({old}) THEN
    RAISE EXCEPTION 'what a refund gives back never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status IN ('REFUNDED', 'FAILED') AND NEW.status <> OLD.status THEN
    RAISE EXCEPTION 'a refund that is % stays so', OLD.status USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$"""
FIELDS_BEFORE = ("id", "payment_intent_id", "e2e_id", "amount")
FIELDS = (*FIELDS_BEFORE, "efi_id", "target", "origin")

CAP = """
CREATE OR REPLACE FUNCTION payment_cap_refunds() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  paid numeric;
  pix received_pix%ROWTYPE;
BEGIN
  -- Locked, so that two refunds of one payment or Pix are added up one after the other.
  IF NEW.target = 'fare' THEN
    SELECT amount INTO paid FROM payment_intents
    WHERE id = NEW.payment_intent_id AND status IN ('CONFIRMED', 'REFUNDED') FOR UPDATE;
    IF paid IS NULL OR NEW.amount + (SELECT coalesce(sum(amount), 0) FROM refunds
       WHERE payment_intent_id = NEW.payment_intent_id AND target = 'fare' AND status <> 'FAILED') > paid THEN
      RAISE EXCEPTION 'more would be given back than was paid' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  SELECT * INTO pix FROM received_pix WHERE e2e_id = NEW.e2e_id FOR UPDATE;
  IF NOT FOUND OR NEW.amount + (SELECT coalesce(sum(amount), 0) FROM refunds
     WHERE e2e_id = NEW.e2e_id AND status <> 'FAILED') > pix.amount THEN
    RAISE EXCEPTION 'more would be given back than was received' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.target = 'credit' AND NEW.amount + (SELECT coalesce(sum(amount), 0) FROM refunds
     WHERE e2e_id = NEW.e2e_id AND target = 'credit' AND status <> 'FAILED') > pix.held THEN
    RAISE EXCEPTION 'more would be given back than is held' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""

CAP_BEFORE = """
CREATE OR REPLACE FUNCTION payment_cap_refunds() RETURNS trigger
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
END $$"""


def _keep(fields: tuple[str, ...]) -> str:
    return KEEP.format(
        new=", ".join(f"NEW.{field}" for field in fields), old=", ".join(f"OLD.{field}" for field in fields)
    )


def upgrade() -> None:
    for statement in (*CHANGES, _keep(FIELDS), CAP):
        op.execute(statement)


def downgrade() -> None:
    # Refunds that only the new shape can hold make this fail: they are money, and are not thrown away.
    for statement in (CAP_BEFORE, _keep(FIELDS_BEFORE)):
        op.execute(statement)
    op.execute("DROP TABLE statement_reports")
    op.execute("DROP INDEX idx_refunds_return_id, idx_refunds_efi_id")
    op.execute(
        "ALTER TABLE refunds ALTER COLUMN requested_by SET NOT NULL,"
        " ALTER COLUMN payment_intent_id SET NOT NULL, ADD CONSTRAINT refunds_return_id_key UNIQUE (return_id),"
        " DROP COLUMN efi_id, DROP COLUMN target, DROP COLUMN origin, DROP COLUMN attempts"
    )
    op.execute("DROP INDEX idx_received_held, idx_received_paid, idx_received_ride")
    op.execute(
        "ALTER TABLE received_pix DROP COLUMN held, DROP COLUMN mismatch, DROP COLUMN ride_id,"
        " DROP COLUMN passenger_id"
    )
