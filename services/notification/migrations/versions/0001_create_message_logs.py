"""Create the users' message logs, tickets and the log's identity."""

from alembic import op

from storage.migrations import create_messaging_tables, drop_messaging_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_messaging_tables(op)
    op.execute(
        "CREATE TABLE streams (user_id uuid PRIMARY KEY, last_offset bigint NOT NULL CHECK (last_offset > 0))"
    )
    op.execute(
        """CREATE TABLE messages (
            user_id uuid NOT NULL,
            log_offset bigint NOT NULL CHECK (log_offset > 0),
            event_id uuid NOT NULL,
            type text NOT NULL,
            data jsonb NOT NULL,
            occurred_at timestamptz NOT NULL,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (user_id, log_offset))"""
    )
    op.execute("CREATE INDEX idx_messages_created ON messages (created_at)")
    op.execute(
        "CREATE TABLE tickets"
        " (ticket_hash text PRIMARY KEY, holder jsonb NOT NULL, expires_at timestamptz NOT NULL)"
    )
    op.execute("CREATE INDEX idx_tickets_expires ON tickets (expires_at)")
    # A new database is another log: apps that stand in the old one read their state again. After a restore
    # from a backup, replace the epoch by hand.
    op.execute("CREATE TABLE log_identity (epoch text PRIMARY KEY)")
    op.execute("INSERT INTO log_identity VALUES (replace(gen_random_uuid()::text, '-', ''))")


def downgrade() -> None:
    for table in ("log_identity", "tickets", "messages", "streams"):
        op.execute(f"DROP TABLE {table}")
    drop_messaging_tables(op)
