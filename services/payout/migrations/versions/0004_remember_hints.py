"""A hint that comes while the bank is being asked outlives the answer."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE payouts ADD COLUMN hinted_at timestamptz")
    op.execute(
        "COMMENT ON COLUMN payouts.hinted_at IS "
        "'When a webhook spoke of the send since it was last claimed: until then due_at is not put off'"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE payouts DROP COLUMN hinted_at")
