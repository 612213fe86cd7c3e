"""Remember which trace caused a message, so that catching up from the log continues it too."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE messages ADD COLUMN traceparent text")


def downgrade() -> None:
    op.execute("ALTER TABLE messages DROP COLUMN traceparent")
