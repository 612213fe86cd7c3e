"""Create intents, charges, received Pix, webhook events, refunds and the projection of rides."""

from alembic import op

from storage.migrations import (
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
    "refunds",
    "webhook_events",
    "statements",
    "sweeps",
    "received_pix",
    "pix_charges",
    "payment_intents",
    "rides",
)


def upgrade() -> None:
    create_messaging_tables(op)
    create_idempotency_table(op)
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
    drop_idempotency_table(op)
    drop_messaging_tables(op)


TIMES = "created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()"

STATEMENTS = (
    f"""CREATE TABLE rides (
        id uuid PRIMARY KEY,
        passenger_id uuid NOT NULL,
        driver_id uuid,
        state text NOT NULL CHECK (state IN ('OPEN', 'COMPLETED', 'CLOSED')),
        fare numeric(10,2) CHECK (fare >= 0),
        commission numeric(10,2) NOT NULL DEFAULT 0,
        {TIMES},
        CHECK (state <> 'COMPLETED' OR (fare IS NOT NULL AND driver_id IS NOT NULL)))""",
    f"""CREATE TABLE payment_intents (
        id uuid PRIMARY KEY,
        ride_id uuid NOT NULL REFERENCES rides,
        passenger_id uuid NOT NULL,
        driver_id uuid NOT NULL,
        amount numeric(10,2) NOT NULL CHECK (amount > 0),
        commission numeric(10,2) NOT NULL CHECK (commission BETWEEN 0 AND amount),
        status text NOT NULL CHECK (status IN ('PENDING', 'CONFIRMED', 'EXPIRED', 'REFUNDED')),
        payment_method text NOT NULL DEFAULT 'pix',
        refunded numeric(10,2) NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND amount),
        version integer NOT NULL,
        confirmed_at timestamptz,
        expires_at timestamptz NOT NULL,
        {TIMES},
        CHECK ((status IN ('CONFIRMED', 'REFUNDED')) = (confirmed_at IS NOT NULL)),
        CHECK (status = 'CONFIRMED' OR status = 'REFUNDED' OR refunded = 0),
        CHECK ((status = 'REFUNDED') = (refunded = amount)))""",
    # One payment a ride: only an expired one may be followed by another.
    "CREATE UNIQUE INDEX idx_intents_one_per_ride ON payment_intents (ride_id) WHERE status <> 'EXPIRED'",
    "CREATE INDEX idx_intents_ride ON payment_intents (ride_id, id)",
    f"""CREATE TABLE pix_charges (
        id uuid PRIMARY KEY,
        payment_intent_id uuid NOT NULL UNIQUE REFERENCES payment_intents,
        txid text NOT NULL CHECK (txid ~ '^[a-zA-Z0-9]{{26,35}}$'),
        e2e_id text,
        qr_code text,
        pix_copy_paste text,
        amount numeric(10,2) NOT NULL CHECK (amount > 0),
        status text NOT NULL CHECK (status IN ('ACTIVE', 'COMPLETED', 'EXPIRED')),
        expires_at timestamptz NOT NULL,
        paid_at timestamptz,
        next_attempt_at timestamptz NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        {TIMES},
        CHECK ((status = 'COMPLETED') = (e2e_id IS NOT NULL)))""",
    "CREATE UNIQUE INDEX idx_pix_txid ON pix_charges (txid)",
    "CREATE UNIQUE INDEX idx_pix_e2e_id ON pix_charges (e2e_id) WHERE e2e_id IS NOT NULL",
    "CREATE INDEX idx_charges_due ON pix_charges (next_attempt_at) WHERE status = 'ACTIVE'",
    f"""CREATE TABLE received_pix (
        e2e_id text PRIMARY KEY,
        txid text,
        payment_intent_id uuid REFERENCES payment_intents,
        amount numeric(10,2) NOT NULL CHECK (amount > 0),
        fee numeric(10,2) NOT NULL CHECK (fee >= 0),
        source text NOT NULL CHECK (source IN ('webhook', 'janitor')),
        paid_at timestamptz NOT NULL,
        {TIMES})""",
    "CREATE INDEX idx_received_txid ON received_pix (txid) WHERE txid IS NOT NULL",
    "CREATE TABLE sweeps (name text PRIMARY KEY, swept_until timestamptz NOT NULL)",
    """CREATE TABLE statements (
        day date PRIMARY KEY,
        lines integer NOT NULL CHECK (lines >= 0),
        published_at timestamptz NOT NULL)""",
    """CREATE TABLE webhook_events (
        id uuid PRIMARY KEY,
        provider text NOT NULL DEFAULT 'efi',
        event_type text NOT NULL,
        txid text,
        e2e_id text,
        reference text,
        status text,
        payload jsonb NOT NULL,
        payload_hash text NOT NULL,
        processed boolean NOT NULL DEFAULT false,
        outcome text,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        processed_at timestamptz,
        received_at timestamptz NOT NULL)""",
    "CREATE INDEX idx_webhook_hash ON webhook_events (payload_hash)",
    "CREATE INDEX idx_webhook_processed ON webhook_events (processed, received_at)",
    "CREATE INDEX idx_webhook_due ON webhook_events (next_attempt_at) WHERE NOT processed",
    "CREATE INDEX idx_webhook_e2e ON webhook_events (e2e_id) WHERE e2e_id IS NOT NULL",
    f"""CREATE TABLE refunds (
        id uuid PRIMARY KEY,
        payment_intent_id uuid NOT NULL REFERENCES payment_intents,
        e2e_id text NOT NULL,
        amount numeric(10,2) NOT NULL CHECK (amount > 0),
        reason text NOT NULL,
        requested_by uuid NOT NULL,
        status text NOT NULL CHECK (status IN ('REQUESTED', 'PROCESSING', 'REFUNDED', 'FAILED')),
        return_id text UNIQUE,
        failure_reason text,
        next_attempt_at timestamptz NOT NULL,
        finished_at timestamptz,
        {TIMES})""",
    "CREATE INDEX idx_refunds_intent ON refunds (payment_intent_id)",
    "CREATE INDEX idx_refunds_due ON refunds (next_attempt_at) WHERE status IN ('REQUESTED', 'PROCESSING')",
)
