"""What idempotent requests need, and a table for their effects."""

from alembic import op

from storage.migrations import (
    create_idempotency_table,
    create_messaging_tables,
    drop_idempotency_table,
    drop_messaging_tables,
)

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_messaging_tables(op)
    create_idempotency_table(op)
    op.execute("CREATE TABLE effect (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT NULL)")


def downgrade() -> None:
    op.execute("DROP TABLE effect")
    drop_idempotency_table(op)
    drop_messaging_tables(op)
