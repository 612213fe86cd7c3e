"""A service's first migration, as small as it gets."""

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


def upgrade() -> None:
    create_messaging_tables(op)
    create_idempotency_table(op)
    op.execute("CREATE TABLE counter (name text PRIMARY KEY, value bigint NOT NULL)")
    op.execute("CREATE TABLE entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT NULL)")
    op.execute(f"REVOKE UPDATE, DELETE ON entry FROM {app_role()}")


def downgrade() -> None:
    op.execute("DROP TABLE entry")
    op.execute("DROP TABLE counter")
    drop_idempotency_table(op)
    drop_messaging_tables(op)
