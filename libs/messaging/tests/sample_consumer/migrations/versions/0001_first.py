"""A service that writes down each effect, so that a second one shows."""

from alembic import op

from storage.migrations import create_messaging_tables, drop_messaging_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_messaging_tables(op)
    op.execute("CREATE TABLE aggregate (key text PRIMARY KEY, version bigint NOT NULL)")
    op.execute(
        "CREATE TABLE effect (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL,"
        " note text NOT NULL)"
    )


def downgrade() -> None:
    op.execute("DROP TABLE effect")
    op.execute("DROP TABLE aggregate")
    drop_messaging_tables(op)
